"""Parts that several pages share and that know a view model: a page assembles them, none of them knows a page."""
