# plugins/trainers/tune
