# core/param
