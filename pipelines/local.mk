# pipelines
