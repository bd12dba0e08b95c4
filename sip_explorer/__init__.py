"""SIP Explorer: see, paint and train what image classifiers look at."""

__version__ = "0.1.0"
