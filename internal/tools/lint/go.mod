module github.com/ticketbridge/ticketbridge/internal/tools/lint

go 1.26.8
