# plugins/sources/model
