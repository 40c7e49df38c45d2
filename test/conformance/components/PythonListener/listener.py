"""Greengrass IPC without an SDK: three frames by hand, as on a device too small for one."""
import json
import os
import socket
import struct
import zlib


def header(name, kind, value):
    raw = bytes([len(name)]) + name.encode() + bytes([kind])
    if kind == 4:
        return raw + struct.pack(">i", value)
    text = value.encode()
    return raw + struct.pack(">H", len(text)) + text


def send(sock, message_type, stream, headers, payload):
    block = header(":message-type", 4, message_type) + header(":message-flags", 4, 0) + header(":stream-id", 4, stream)
    for name, value in headers.items():
        block += header(name, 7, value)
    body = json.dumps(payload).encode()
    prelude = struct.pack(">II", 16 + len(block) + len(body), len(block))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + block + body
    sock.sendall(message + struct.pack(">I", zlib.crc32(message)))


def receive(file):
    total, headers = struct.unpack(">II", file.read(8))
    rest = file.read(total - 8)
    return rest[4 + headers : -4]


sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
sock.connect(os.environ["AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"])
file = sock.makefile("rb")
send(sock, 4, 0, {":version": "0.1.0"}, {"authToken": os.environ["SVCUID"]})
receive(file)
send(
    sock,
    0,
    1,
    {"operation": "aws.greengrass#SubscribeToTopic", "service-model-type": "aws.greengrass#SubscribeToTopicRequest"},
    {"topic": "others/+"},
)
print("answer", receive(file).decode())
while True:
    event = json.loads(receive(file))["jsonMessage"]
    print("heard", event["context"]["topic"], "n" in event["message"])
