import sys

message = f"Hello, {sys.argv[1]}! Greetings from your first Greengrass component."
print(message)
