"""Sign-in through a company's OpenID provider: OpenID Connect Core 1.0, authorization code with PKCE (RFC 7636).

`relying_party` is the door: `begin`, `finish`, `sign_out_url`, `logout_notice`. Everything a provider or a browser
sends is untrusted and bounded; what is wrong with it is `Refused("oidc....")`, never an exception.
"""
