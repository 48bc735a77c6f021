"""The JSON API, /api/v1: the same services as the pages, told in JSON. Problems are RFC 9457."""
