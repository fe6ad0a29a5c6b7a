"""The tables of state that remember of nothing that it has served (`test_one_use.py`)."""

NOT_ONE_USE = frozenset(
    {
        "access_lock",
        "person", "hand", "leaver", "group_member", "role", "resource", "binding", "request", "change", "session",
        "sealed_head", "lockout", "refused_message", "certificate", "identity", "provider", "provider_proposal",
        "mfa_declaration", "mfa_exception", "provider_refusal", "scim_token", "scim_user", "scim_group", "scim_member",
        "takeover", "signal_stream", "signal_stream_proposal", "staff_entry", "staff_version", "staff_source",
        "staff_rules", "directory_hold", "person_hold", "own_word", "recording_check", "bad_recording", "disk", "probe",
        "probe_order", "reported_leaver", "receiver", "delivery", "notice", "notice_choice", "pressed_door",
        "verification", "erasure", "separation", "drawn_session", "watched", "inspection",
        "review_schedule", "review_signed", "account_system",
        "account_list", "listed_account", "policy", "policy_confirmed", "policy_reminded", "incident",
        "incident_link", "control_told",
        "node", "backup", "review", "review_decision", "review_passed", "review_reminded", "role_withheld",
        "role_reduced",
        "delegation",
        "request_agreed",  # nobody agrees twice: tests/app/test_requests_routed.py
        "made_user",  # a session gets one, and each name is made once: tests/domain/sessions/test_session_users.py
        "waiting_statement",  # a yes ends its wait, and the second finds none: tests/app/test_waiting_statements.py
        # a login token serves many connections, each asked anew: tests/app/test_login_tokens.py
        "login_token", "login_token_session", "target_secret", "target_secret_use", "control_run", "control_owner",
    }
)  # fmt: skip
"""Tables that remember of nothing that it has served."""
