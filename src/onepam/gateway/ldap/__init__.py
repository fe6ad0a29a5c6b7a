"""Reading a directory by LDAP (RFC 4511): bind, one paged search, nothing else; nothing is ever written there.

`ber` is the codec, `filters` the text of filters, `messages` what is sent and received, `pull` the conversation
without a socket, `client` the edge with one. Everything that a server sends is bounded before it is looked at.
"""
