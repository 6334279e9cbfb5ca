"""What people look at: pages, pictures, tables and sentences made of results."""
