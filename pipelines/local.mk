# pipelines: installed as they are; "flowrun serve" finds one by its name.
shoppipelinedir = $(pipelinedir)/shop
dist_shoppipeline_DATA = \
	pipelines/shop/deepseek-r1.json \
	pipelines/shop/litemall.json \
	pipelines/shop/quickstart.json \
	pipelines/shop/rating.json \
	pipelines/shop/ratings.json \
	pipelines/shop/records.json \
	pipelines/shop/serve-zh.json \
	pipelines/shop/serve.json \
	pipelines/shop/shop.sql

dist_pipeline_DATA = \
	pipelines/compare.json \
	pipelines/content-generator.json \
	pipelines/crawl-site.json \
	pipelines/desensitise-csv.json \
	pipelines/desensitise-files.json \
	pipelines/evaluate.json \
	pipelines/generate.json \
	pipelines/load-test.json \
	pipelines/monthly.json \
	pipelines/serve.json

# The whole way, and what it works on.
contentpipelinedir = $(pipelinedir)/content
dist_contentpipeline_DATA = pipelines/content/words.tsv
contentsitedir = $(pipelinedir)/content/site
dist_contentsite_DATA = \
	pipelines/content/site/about.html \
	pipelines/content/site/coffee.html \
	pipelines/content/site/index.html \
	pipelines/content/site/lamp.html \
	pipelines/content/site/pan.html \
	pipelines/content/site/quilt.html \
	pipelines/content/site/robots.txt \
	pipelines/content/site/soap.html \
	pipelines/content/site/tea-copy.html \
	pipelines/content/site/tea.html \
	pipelines/content/site/tent.html
contentdocumentsdir = $(pipelinedir)/content/documents
dist_contentdocuments_DATA = \
	pipelines/content/documents/care.md \
	pipelines/content/documents/hiking.html \
	pipelines/content/documents/knife.md \
	pipelines/content/documents/mug.md \
	pipelines/content/documents/supplier.eml
