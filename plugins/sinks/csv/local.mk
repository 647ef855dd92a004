# plugins/sinks/csv
