# core/testkit
