"""SAML 2.0 service provider: what we send to a company's identity provider, and what of its answers we believe.

`settings.parse` reads what an administrator chose, `request` asks, `response.check` believes or refuses, `logout` ends.
Functions take bytes, times and ids and give values: they fetch nothing, store nothing and know no clock. An answer is
believed only once; that is the caller's to hold, by `Assertion.unique`.
"""
