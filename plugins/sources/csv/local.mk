# plugins/sources/csv
