"""What attackers got when OnePAM was attacked as it runs, and the tests that hold what came of it: for each kind what
was done, what is right, and where that is asked."""

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
