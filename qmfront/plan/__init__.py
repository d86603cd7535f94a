"""What a case will cost before it is spent: QM calls, hours and memory of every iteration to its end."""
