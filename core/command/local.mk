# core/command
