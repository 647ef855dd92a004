# pipelines: installed as they are; "flowrun shop/quickstart" finds one by its name.
shoppipelinedir = $(pipelinedir)/shop
dist_shoppipeline_DATA = \
	pipelines/shop/deepseek-r1.json \
	pipelines/shop/litemall.json \
	pipelines/shop/quickstart.json \
	pipelines/shop/rating.json \
	pipelines/shop/ratings.json \
	pipelines/shop/records.json \
	pipelines/shop/shop.sql

dist_pipeline_DATA = pipelines/compare.json pipelines/desensitise-csv.json pipelines/desensitise-files.json pipelines/evaluate.json pipelines/generate.json
