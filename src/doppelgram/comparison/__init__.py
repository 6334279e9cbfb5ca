"""Many trainings side by side: a grid of settings, what each reaches, which differences are real."""
