"""Estimators for scikit-learn: metric learning on features and on photographs."""
