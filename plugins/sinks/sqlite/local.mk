# plugins/sinks/sqlite
