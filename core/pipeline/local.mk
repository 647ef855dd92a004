# core/pipeline
