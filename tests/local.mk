# tests: whole pipelines, conformance, fuzzing, benchmarks.
