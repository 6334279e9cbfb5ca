"""Images and tables that other libraries hold: data frames, Arrow tables, Hugging Face and torch datasets."""
