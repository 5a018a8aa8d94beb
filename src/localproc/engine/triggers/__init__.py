"""What sets jobs off by itself: schedules and subscriptions.

Owns that nothing fires twice and nothing is lost, however many processes look and however they die.
"""
