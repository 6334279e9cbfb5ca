"""Records of posts in JSON and tables: how files hold them, what their fields mean, which pictures they speak of."""
