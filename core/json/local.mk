# core/json
