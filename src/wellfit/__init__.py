"""wellfit trains deep-learning models to a good fit."""
