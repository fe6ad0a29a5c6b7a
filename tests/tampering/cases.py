"""What was tried when OnePAM was attacked as it runs, what attackers got, and the tests that hold what came of it: for
each kind what was done, what is right, and where that is asked."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Case:
    """What was done, what must come of it, and the tests (file, function) that fail where it does not."""

    done: str
    right: str
    tests: tuple[tuple[str, str], ...]


WALK = ("tests/tampering/test_tampering.py", "test_it_is_found_and_named_or_not_because")

CASES = (
    Case(
        "a finished recording deleted, cut, flipped, or sealed anew under its own key",
        "named, with its session and what became of it: exit 5; its page and the list say what the last check found",
        (
            ("tests/gateway/test_recheck.py", "test_each_attack_is_named"),
            (
                "tests/console/test_alarms.py",
                "test_a_recording_that_fails_is_on_its_page_in_the_list_and_above_every_page",
            ),
        ),
    ),
    Case(
        "all sessions rewritten away, every proof in the folder deleted",
        "broken by the log's key alone; without an anchor from outside nothing is called intact",
        (
            WALK,
            ("tests/boot/test_ledger_verify.py", "test_without_an_anchor_nothing_is_called_intact"),
            ("tests/boot/test_handing_out.py", "test_what_was_handed_out_anchors_the_ledger"),
        ),
    ),
    Case(
        "an entry in perfect form, with its row, written past the product",
        "named; the signer signs none of it, and the platform decides nothing more",
        (
            ("tests/boot/test_authors.py", "test_what_is_written_past_the_product_is_named"),
            ("tests/boot/test_authors.py", "test_the_signer_signs_nothing_of_it"),
            ("tests/boot/test_authors.py", "test_a_start_decides_nothing_after_an_entry_of_no_batch"),
        ),
    ),
    Case(
        "a row slipped in for a moment, used to act, taken out",
        "the entry that used it is named, with the right and why there was none: exit 6",
        (
            WALK,
            (
                "tests/ledger/lawful/test_access.py",
                "test_a_member_row_that_was_slipped_in_is_named_by_what_was_done_with_it",
            ),
        ),
    ),
    Case(
        "a target's sealed secret of an earlier version put into the row of the one in use",
        "it opens as its own version alone: the session fails, and says which version the vault does not hold",
        (
            ("tests/app/test_target_secrets.py", "test_a_new_version_is_in_use_once_the_target_took_it"),
            ("tests/boot/test_databases.py", "test_from_the_vault_to_the_recording"),
        ),
    ),
    Case(
        "a trigger, a view in the place of a table",
        "named before anything else: the schema is compared with the release's",
        (WALK, ("tests/boot/test_damaged_database.py", "test_damage_is_a_finding")),
    ),
    Case(
        "a pack whose names and approvers point to another person's entries",
        "refused: each column follows from the entries by the verifier's rule, or is printed as the exporter's word",
        (
            ("tests/evidence/test_attacks_exporter.py", "test_refused_and_named"),
            ("tests/evidence/test_attacks_exporter.py", "test_what_has_no_rule_is_the_exporters_word_and_never_proved"),
        ),
    ),
    Case(
        "a pack that leaves out reports, or all sessions, or has another README",
        "the first thing that the verdict says",
        (
            ("tests/evidence/test_attacks_exporter.py", "test_a_report_that_is_left_out_is_the_first_thing_said"),
            ("tests/evidence/test_attacks_exporter.py", "test_exclusions_are_the_first_thing_said_with_their_reasons"),
            ("tests/evidence/test_attacks_exporter.py", "test_a_readme_that_is_not_ours_is_pointed_out"),
        ),
    ),
    Case(
        "a pack whose report of access leaves out somebody, or all of root, or says other rights",
        "each way in follows from the entries: what is missing or too much is the first thing said, exit 7",
        (
            ("tests/evidence/test_attacks_less.py", "test_access_tells_of_everybody_or_says_why_not"),
            ("tests/evidence/verifier/test_ways.py", "test_what_gives_and_takes_a_way_in"),
        ),
    ),
    Case(
        "a session closed twice in one command, or closed with a count and no recording, or never closed",
        "the first two are not lawful; of the third a pack says that the log has no end of it",
        (
            ("tests/ledger/lawful/test_sessions.py", "test_a_session_ends_once"),
            ("tests/ledger/lawful/test_sessions.py", "test_what_a_session_counts_is_in_its_recording"),
            ("tests/evidence/test_recordings.py", "test_a_session_without_an_end_is_said_once_its_latest_has_passed"),
        ),
    ),
    Case(
        "a recording cut below what the ledger had sealed, before a restart closes it",
        "named as a loss of sealed chunks",
        (("tests/gateway/test_recover.py", "test_chunks_that_the_ledger_had_sealed_and_are_gone_are_named"),),
    ),
    Case(
        "a start with the clock two hours ahead, and then right again",
        "commands stop until somebody confirms the clock; the ledger's time is not carried away",
        (
            (
                "tests/store/test_clock_guard.py",
                "test_a_clock_that_was_ahead_and_is_right_again_stops_commands_until_confirmed",
            ),
            (
                "tests/store/test_clock_guard.py",
                "test_a_long_jump_forward_stops_commands_and_does_not_carry_the_ledgers_time_away",
            ),
        ),
    ),
    Case(
        "a data folder that others may read",
        "closed at each start, or refused where it is somebody else's",
        (
            (
                "tests/boot/test_private_folder.py",
                "test_a_busy_gateway_on_a_folder_that_stood_open_leaves_nothing_open",
            ),
            ("tests/boot/test_private_folder.py", "test_what_belongs_to_somebody_else_is_refused"),
        ),
    ),
    Case(
        "an altered entry looked at in the console",
        "its page hashes what it shows; a broken history is a banner on every page",
        (
            ("tests/console/test_pages_admin.py", "test_a_page_does_not_show_an_altered_entry_as_included"),
            ("tests/console/test_alarms.py", "test_a_broken_history_is_a_banner_on_every_page_of_administrators"),
        ),
    ),
    Case(
        "personal data erased, and the history folded anew",
        "the entry stays, the payload is gone from every row, and the tables are those that were there",
        (("tests/store/test_rebuild.py", "test_an_erasure_empties_payloads_and_every_interval_and_still_folds"),),
    ),
)

_WAITS = "tests/protocols/postgres/test_waits.py"
_ASKING = "tests/protocols/postgres/test_asking_first.py"
_DECIDING = "tests/domain/sessions/test_waiting_statements.py"
_GUARDING = "tests/protocols/postgres/test_guarding.py"
_MASKED = "tests/protocols/postgres/test_masked_results.py"
_MASKED_COLUMNS = "tests/protocols/postgres/test_masked_columns.py"
_QUERY = "tests/console/test_query.py"

AT_DATABASES = (
    Case(
        "ask first: a yes to one's own statement, by oneself or as somebody to whom one has given a link to sign in",
        "refused, and the attempt is an entry",
        (
            (_DECIDING, "test_who_does_not_let_it_run"),
            (_ASKING, "test_a_write_waits_for_somebody_elses_yes_and_runs_then"),
        ),
    ),
    Case(
        "ask first: after the question, or after the yes, another text, other parameters or another execution sent",
        "what runs are the bytes that waited, once; each further execution asks, and a second yes finds nothing",
        (
            (_WAITS, "test_a_query_waits_and_exactly_it_goes_on_and_what_came_behind_it_follows"),
            (_WAITS, "test_of_the_extended_protocol_the_execution_waits_with_its_parameters"),
            (_WAITS, "test_a_no_to_an_execution_skips_its_batch_and_its_portal_is_no_more"),
            (_ASKING, "test_a_write_waits_for_somebody_elses_yes_and_runs_then"),
        ),
    ),
    Case(
        "ask first: a prepared statement closed and prepared with another text while its execution waits",
        "nothing of it reaches the server before the decision; what is made anew asks for itself",
        ((_WAITS, "test_a_statement_that_is_made_anew_while_its_execution_waits_asks_again"),),
    ),
    Case(
        "ask first: what runs with its text unseen: PREPARE and EXECUTE, a named portal, too long a text or value",
        "refused",
        (
            (_WAITS, "test_what_runs_by_sqls_own_names_stands_in_another_text"),
            (_WAITS, "test_what_cannot_be_shown_or_could_run_by_another_way_is_refused"),
        ),
    ),
    Case(
        "ask first: memory filled with statements under names, or with what follows a statement that waits",
        "refused beyond a bound, or not read",
        (
            (_WAITS, "test_only_so_much_is_kept_of_texts_that_ask_under_names"),
            (_WAITS, "test_only_so_much_is_read_behind_it_and_its_end_is_told"),
        ),
    ),
    Case(
        "ask first: access lost, the time over, the server gone or the gateway stopped while a statement waits",
        "refused; it has not run, and no yes lets it run any more",
        (
            (_ASKING, "test_what_ends_the_session_ends_the_wait"),
            (_ASKING, "test_the_end_of_an_access_ends_the_wait"),
            (_DECIDING, "test_how_long_it_waits"),
            (_ASKING, "test_a_gateway_that_stops_refuses_what_waits"),
        ),
    ),
    Case(
        "ask first: markup in the text and the parameters that somebody decides on",
        "shown as text; whoever decides on other things sees nothing of it",
        (
            (
                "tests/console/test_waiting_statements.py",
                "test_whoever_decides_sees_what_it_says_as_text_and_says_yes",
            ),
            (
                "tests/console/test_waiting_statements.py",
                "test_who_decides_on_other_things_sees_nothing_of_it",
            ),
        ),
    ),
    Case(
        "guardrails: a setting that lifts a bound, behind a blank that Python and PostgreSQL do not read alike",
        "refused at the start: options are read as PostgreSQL reads them, in ASCII",
        ((_GUARDING, "test_what_lifts_a_bound_is_refused_at_the_start"),),
    ),
    Case(
        "guardrails: a text that is one statement or two, sent behind the setting that decides which",
        "refused until the server has said how it reads; a yes to the setting is none to the text",
        (
            (
                _GUARDING,
                "test_behind_what_may_change_how_the_server_reads_no_text_runs_that_it_may_read_otherwise",
            ),
            (_GUARDING, "test_nor_in_one_batch_whose_settings_are_told_at_its_end"),
            (_GUARDING, "test_a_yes_to_a_setting_is_none_to_what_follows_it"),
        ),
    ),
    Case(
        "masks: a masked column computed, cast, as a whole row, in a subquery, WITH, set or join, ordered, grouped or "
        "compared by it, copied out, written elsewhere, by a function, a view or a table made later",
        "refused; the value is in no answer and no error, at a real server",
        (
            (_MASKED, "test_ways_round_a_mask_are_refused"),
            (_MASKED, "test_an_error_of_the_server_does_not_show_a_row"),
            (_MASKED_COLUMNS, "test_ways_round_are_refused"),
            (_MASKED_COLUMNS, "test_each_rule_alone"),
        ),
    ),
    Case(
        "masks: tables that inherit, generated columns, views of views that show a masked column by another name",
        "masked, too",
        (
            (_MASKED, "test_masked_columns_are_masked_and_the_rest_is_as_it_is"),
            (_MASKED_COLUMNS, "test_a_catalogue_masks_by_name_inheritance_generation_and_views"),
        ),
    ),
    Case(
        "masks: MERGE that puts a masked value into another table, or writes one without naming its columns",
        "the first is refused; of the second the recording shows no value",
        (
            (_MASKED_COLUMNS, "test_each_rule_alone"),
            (
                "tests/protocols/postgres/test_bound.py",
                "test_of_what_has_only_what_is_bound_to_other_columns_is",
            ),
        ),
    ),
    Case(
        "query page: a run without the token of its forms, at somebody else's page, or at one's own of another sign-in",
        "refused, and nothing has run",
        (
            (_QUERY, "test_what_is_not_the_pages_own_is_refused"),
            ("tests/console/test_queries.py", "test_a_page_is_its_sign_ins_alone"),
        ),
    ),
    Case(
        "query page: a link that brings a statement with it; a client that calls itself a page",
        "the text stays empty; of the client it is noted that it says so",
        (
            (_QUERY, "test_no_address_brings_a_statement"),
            (_QUERY, "test_no_client_passes_for_a_page"),
        ),
    ),
    Case(
        "query page and sessions: markup in values, names of columns, texts and errors",
        "shown as text",
        (
            (_QUERY, "test_results"),
            ("tests/console/test_statements.py", "test_statements_stand_on_the_page_and_none_of_them_acts"),
            ("tests/console/test_statements.py", "test_rows_that_were_kept_stand_below_their_statement"),
        ),
    ),
    Case(
        "query page: guardrails, masks and ask first gone round by the console",
        "they hold there: the page is a client of the same door",
        (
            (_QUERY, "test_guardrails_hold_here"),
            (_QUERY, "test_masked_columns_are_masked_here"),
            (_QUERY, "test_it_is_asked_by_keyboard_alone"),
        ),
    ),
)
"""What was tried at guardrails, at statements that ask first, at masks and at the query page."""
