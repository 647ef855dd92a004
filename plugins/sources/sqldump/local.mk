# plugins/sources/sqldump
