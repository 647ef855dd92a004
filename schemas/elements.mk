# elements.mk: made by make update-schemas.
dist_elementschema_DATA = \
	schemas/elements/evaluator.loss.schema.json \
	schemas/elements/evaluator.rating.schema.json \
	schemas/elements/evaluator.ratings.schema.json \
	schemas/elements/evaluator.text.schema.json \
	schemas/elements/sink.csv.schema.json \
	schemas/elements/sink.gguf.schema.json \
	schemas/elements/sink.jsonl.schema.json \
	schemas/elements/sink.onnx.schema.json \
	schemas/elements/sink.safetensors.schema.json \
	schemas/elements/sink.sqlite.schema.json \
	schemas/elements/sink.text.schema.json \
	schemas/elements/source.crawler.schema.json \
	schemas/elements/source.csv.schema.json \
	schemas/elements/source.json.schema.json \
	schemas/elements/source.mariadb.schema.json \
	schemas/elements/source.model.schema.json \
	schemas/elements/source.odbc.schema.json \
	schemas/elements/source.postgres.schema.json \
	schemas/elements/source.rows.schema.json \
	schemas/elements/source.sqldump.schema.json \
	schemas/elements/source.sqlite.schema.json \
	schemas/elements/trainer.full.schema.json \
	schemas/elements/trainer.lora.schema.json \
	schemas/elements/transform.clean.schema.json \
	schemas/elements/transform.command.schema.json \
	schemas/elements/transform.content.schema.json \
	schemas/elements/transform.dedup.schema.json \
	schemas/elements/transform.filter.schema.json \
	schemas/elements/transform.format.schema.json \
	schemas/elements/transform.generate.schema.json \
	schemas/elements/transform.quality.schema.json \
	schemas/elements/transform.select.schema.json \
	schemas/elements/transform.site_lines.schema.json \
	schemas/elements/transform.split.schema.json
