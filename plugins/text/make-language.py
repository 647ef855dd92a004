#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make-language.py DATA > language-table.c: the tables of language.c.

DATA is a folder with convert-opencc (Apache-2.0) and parallel-tatoeba (CC BY 2.0 FR).  Needs Python's
babel, for the names of languages and countries that Unicode's CLDR has in many languages.

1. For each ideograph of U+4E00 to U+9FFF whether only simplified or only traditional Chinese writes it:
   simplified, when OpenCC maps it to others alone; traditional, when OpenCC's first choice is another.
2. For each three letters in a row (a to z, any other Latin letter, the edge of a word) how much more
   often English has them than other languages with Latin letters: the log of the odds in steps of 1/6,
   between -4 and +4.  English is learned from Tatoeba's odd lines (the even ones are left for tests),
   the others from CLDR's names and from the function words below, which are the most frequent words
   of any text.  What neither has is 0."""
import collections, itertools, math, os, re, sys, unicodedata
from babel import Locale

data = sys.argv[1]


def mappings(name):
    with open(os.path.join(data, "convert-opencc", name), encoding="utf-8") as lines:
        for line in lines:
            if not line.startswith("#") and "\t" in line:
                key, values = line.rstrip("\n").split("\t")
                yield key, values.split(" ")


simplified = {k for k, v in mappings("STCharacters.txt") if k not in v}
traditional = {k for k, v in mappings("TSCharacters.txt") if v[0] != k} - simplified

FUNCTION_WORDS = {
    "fr": "le la les un une des du de et est sont dans pour que qui ne pas plus sur avec ce cette son sa ses il elle nous vous ils je tu mais ou où comme tout très bien aussi être avoir fait peut même au aux par",
    "de": "der die das den dem des ein eine einen einem und ist sind nicht mit von zu auf für im in sich auch als wie er sie es wir ihr ich du aber oder wenn noch nur nach bei aus hat haben wird werden kann sehr mehr zum zur über",
    "es": "el la los las un una unos de del y es son en para que no se por con su sus como más pero lo le al este esta está muy todo también ya yo tú nosotros ha han hay cuando donde porque sin sobre",
    "it": "il lo la i gli le un una di del della dei delle e è sono in per che non si con su come più ma al alla questo questa molto anche io tu noi ha hanno quando dove perché senza nel nella",
    "pt": "o a os as um uma de do da dos das e é são em no na para que não se por com seu sua como mais mas ao este esta muito também eu você nós tem quando onde porque sem sobre foi",
    "nl": "de het een en is zijn niet met van te op voor in zich ook als hij zij wij ik je maar of dat die dit deze nog naar bij uit heeft hebben wordt kan zeer meer zo er aan om door",
    "pl": "i w na z do nie się jest że to jak po co tak ale od za przez dla czy już tylko był była są być który która może bardzo jego jej my wy oni gdy",
    "sv": "och i att det som en på är av för med den till inte om ett han hon vi jag du men har de så var kan när från eller ut mycket också efter",
    "da": "og i at det som en på er af for med den til ikke om et han hun vi jeg du men har de så var kan når fra eller ud meget også efter",
    "fi": "ja on ei se että hän oli olla mutta kun niin joka tämä mitä kuin minä sinä me he ovat myös jos vain nyt hyvin",
    "tr": "ve bir bu da de için ile çok daha olan olarak gibi ne var yok mi ama ben sen o biz siz onlar değil en kadar sonra",
    "vi": "và của là có không được cho một những các này người trong với để khi đã cũng như tôi bạn anh chị ở từ ra đến rất nhiều",
    "id": "dan yang di itu dengan untuk tidak ini dari dalam akan pada juga saya ke karena ada oleh kita mereka bisa lebih sudah adalah kami",
    "ro": "și de la în pe cu nu este sunt un o care din că pentru mai ce se ca am a fost dar sau foarte după",
    "cs": "a v na je se že to s z do ne jsem jako ale po pro by za jeho být který která ještě velmi tak když",
    "hu": "a az és hogy nem is egy ez van volt meg de csak már mint vagy azt ki nagyon én te mi ők lesz",
}
NAMES = sorted(FUNCTION_WORDS) + ["ca", "eu", "gl", "hr", "sk", "sl", "et", "lv", "lt", "is", "nb", "sq", "ms", "sw", "fil", "af", "cy", "ga"]
FUNCTION_WEIGHT, NAME_WEIGHT, ENGLISH_WEIGHT = 40.0, 1.0, 1.0
SYMBOLS = 28


def symbol(c):
    if "a" <= c <= "z":
        return ord(c) - 96
    return 27


def words(text):
    return re.findall(r"[^\W\d_]+", text.lower())


def count(counter, word, weight):
    if any(not unicodedata.name(c, "").startswith("LATIN") for c in word):
        return
    codes = [0] + [symbol(c) for c in word] + [0]
    for a, b, c in zip(codes, codes[1:], codes[2:]):
        counter[(a * SYMBOLS + b) * SYMBOLS + c] += weight


english, others = collections.Counter(), collections.Counter()
with open(os.path.join(data, "parallel-tatoeba", "cmn-eng.tsv"), encoding="utf-8") as lines:
    for number, line in enumerate(lines, 1):
        if number % 2:
            for word in words(line.split("\t")[0]):
                count(english, word, ENGLISH_WEIGHT)
# Names are English too, where it has its own.
for name in itertools.chain(Locale("en").languages.values(), Locale("en").territories.values()):
    for word in words(name):
        count(english, word, NAME_WEIGHT)
for tag in NAMES:
    locale = Locale.parse(tag)
    for name in itertools.chain(locale.languages.values(), locale.territories.values()):
        for word in words(name):
            count(others, word, NAME_WEIGHT)
for text in FUNCTION_WORDS.values():
    for word in text.split():
        count(others, word, FUNCTION_WEIGHT)

n_english, n_others = sum(english.values()), sum(others.values())
odds = bytearray()
for i in range(SYMBOLS**3):
    e, o = english[i], others[i]
    value = 0.0
    if e or o:
        value = math.log((e + 0.5) / (n_english + 0.5 * SYMBOLS**3)) - math.log((o + 0.5) / (n_others + 0.5 * SYMBOLS**3))
    odds.append(35 + 24 + round(6 * max(-4.0, min(4.0, value))))


def quoted(chars):
    text = chars.replace("\\", "\\\\").replace('"', '\\"').replace("?", "\\?")
    pieces = re.findall(r"(?:\\.|[^\\]){1,96}", text)
    return "\n".join(f'  "{piece}"' for piece in pieces)


classes = "".join(chr(48 + sum(((chr(0x4E00 + i + k) in simplified) << 2 * k) | ((chr(0x4E00 + i + k) in traditional) << (2 * k + 1)) for k in range(3)))
                  for i in range(0, 0x5200, 3))
print(f"""/* SPDX-License-Identifier: Apache-2.0 */
/* language-table.c: made by make-language.py; do not edit.
 *
 * Learned from OpenCC's character tables (Apache-2.0), sentences of the Tatoeba
 * project (CC BY 2.0 FR, tatoeba.org) and names of Unicode's CLDR; none of
 * their text is here. */
#include "config.h"

#include "text/language-private.h"

/* clang-format off */
/* Three ideographs a character, from U+4E00 on: two bits each, 1 simplified, 2 traditional; plus 48. */
const char text_language_ideographs[] =
{quoted(classes)};

/* For each three letters: how English they are, in sixths of a nat, plus 59. */
const char text_language_triples[] =
{quoted(odds.decode())};
/* clang-format on */""")
