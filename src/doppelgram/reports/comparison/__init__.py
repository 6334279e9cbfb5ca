"""The report of a comparison of trainings."""
