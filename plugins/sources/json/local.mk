# plugins/sources/json
