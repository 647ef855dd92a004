# plugins/sources/sqlite
