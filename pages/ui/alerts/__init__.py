"""The Alerts page: rules, what fired, what is silenced, and the channels it goes out by."""
