"""Security Event Tokens (RFC 8417) from those who watch over our people: OpenID Shared Signals Framework 1.0, CAEP 1.0.

`security_event` is the check of one, `transmitter` what is asked of who sends them, `receiver` the door for both ways
in which they come (push, RFC 8935; poll, RFC 8936). Whatever a transmitter sends is untrusted and bounded; what is
wrong with it is `Refused`, never an exception.
"""
