# plugins/lm/template: chat templates
