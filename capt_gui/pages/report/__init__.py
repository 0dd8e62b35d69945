"""The Report page: kept runs become a PDF, a web page, a table or a record."""
