"""What is tried against the site, and which tests hold it: the table behind docs/reports/attacks.md.

A test is named by its file and function; `test_report.py` fails when one is not there.
"""

from dataclasses import dataclass

HERE, REALTIME, ACCOUNTS = "tradingarena/tests/attacks", "tradingarena/tests/realtime", "accounts/tests"


@dataclass(frozen=True)
class Attack:
    """Something that is tried, and the tests that show what happens."""

    what: str
    tests: tuple[str, ...]


ATTACKS = (
    Attack(
        "Every operation of REST as everybody, foreign ids included; who is refused has written no row",
        (
            f"{HERE}/test_access.py::test_every_operation_has_its_request_and_every_request_its_operation",
            f"{HERE}/test_access.py::test_everybody_gets_what_they_may_and_who_is_refused_changes_nothing",
            f"{HERE}/test_access.py::test_what_is_not_ones_own_is_not_there_through_an_open_door_either",
        ),
    ),
    Attack(
        "Every frame of the socket as everybody; rooms of others",
        (
            f"{HERE}/test_rooms.py::test_every_frame_of_the_document_is_tried_and_every_kind_of_room_is_documented",
            f"{HERE}/test_rooms.py::test_everybody_hears_what_they_may_and_nothing_else",
            f"{HERE}/test_rooms.py::test_a_ticket_of_somebody_shut_out_meanwhile_lets_nobody_in",
            f"{REALTIME}/test_access.py::test_no_room_is_heard_by_who_may_not_before_and_after_every_change",
        ),
    ),
    Attack(
        "Every page as everybody; reading changes nothing",
        (
            f"{HERE}/test_pages.py::test_every_page_is_in_the_table_once",
            f"{HERE}/test_pages.py::test_pages_are_read_by_who_may_and_reading_changes_nothing",
            f"{HERE}/test_pages.py::test_posts_do_something_for_who_may_and_nothing_for_anybody_else",
        ),
    ),
    Attack(
        "Positions and deals that a reader may not see yet, by every path and mode",
        ("arena/tests/test_access_matrix.py::test_no_path_gives_more_away_than_its_reader_may_see",),
    ),
    Attack(
        "Every field of every body and frame with what it must not be; requests made from the schema",
        (
            f"{HERE}/test_fields.py::test_no_field_of_a_body_breaks_the_server",
            f"{HERE}/test_fields.py::test_no_field_of_a_frame_breaks_the_server",
            "tradingarena/tests/test_bad_input.py::test_bad_input_is_refused_with_a_clear_problem",
            "tradingarena/tests/test_openapi.py::test_no_request_made_from_the_schema_breaks_the_server",
            f"{REALTIME}/test_frames.py::test_every_bad_frame_gets_an_error_frame_and_the_socket_goes_on",
        ),
    ),
    Attack(
        "Mass assignment: fields that are not in a form or body",
        (
            f"{HERE}/test_fields.py::test_no_field_of_a_body_breaks_the_server",
            f"{ACCOUNTS}/test_sign_up.py::test_a_form_cannot_set_what_is_not_in_it",
        ),
    ),
    Attack(
        "CSRF: every unsafe request without its token, and with it from another origin",
        (
            f"{HERE}/test_pages.py::test_no_other_site_posts_in_somebodys_name",
            f"{HERE}/test_access.py::test_everybody_gets_what_they_may_and_who_is_refused_changes_nothing",
        ),
    ),
    Attack(
        "Sockets opened by another site",
        (
            f"{REALTIME}/test_people.py::test_foreign_pages_are_closed_out_with_or_without_a_session",
            f"{REALTIME}/test_people.py::test_no_origin_is_a_program_and_programs_have_no_session",
        ),
    ),
    Attack("Redirects to another site", (f"{HERE}/test_doors.py::test_nobody_is_sent_to_another_site",)),
    Attack(
        "Markup in every text, on pages, in the admin site and in mails; in a real browser too",
        (
            f"{HERE}/test_texts.py::test_words_that_are_markup_are_shown_as_words_on_every_page",
            f"{HERE}/test_texts.py::test_words_that_are_markup_are_shown_as_words_in_the_admin_site",
            f"{HERE}/test_texts.py::test_words_that_are_markup_are_words_in_mails",
            f"{HERE}/test_browser.py::test_no_page_runs_what_people_wrote_or_breaks_its_policy",
        ),
    ),
    Attack(
        "Queries and templates in every parameter, path and search",
        (
            f"{HERE}/test_texts.py::test_words_that_are_queries_or_templates_are_words_in_rest",
            f"{HERE}/test_texts.py::test_words_that_are_queries_or_templates_are_words_on_pages",
            f"{ACCOUNTS}/test_notices.py::test_words_have_no_logic_and_values_stay_values",
        ),
    ),
    Attack(
        "Formulas in files for spreadsheets",
        (f"{HERE}/test_texts.py::test_words_that_are_formulas_are_words_in_spreadsheets",),
    ),
    Attack("Uploads: there are none", (f"{HERE}/test_texts.py::test_nothing_is_uploaded",)),
    Attack(
        "Asking who has an account: sign-in, reset, sign-up, invitations; by the answer and by the work that it takes",
        (
            f"{HERE}/test_doors.py::test_a_wrong_password_and_an_unknown_person_get_the_same_answer_after_the_same_work",
            f"{HERE}/test_doors.py::test_a_reset_and_a_sign_up_do_not_tell_who_has_an_account",
            f"{HERE}/test_doors.py::test_an_invitation_by_address_does_not_tell_whose_it_is",
            f"{ACCOUNTS}/test_sign_in.py::test_a_disabled_person_is_told_so_only_with_the_right_password",
        ),
    ),
    Attack(
        "Guessing: passwords, codes of apps and mails, API tokens, from many addresses or with many names",
        (
            f"{HERE}/test_doors.py::test_a_password_is_guessed_five_times_wherever_from_and_by_whichever_door",
            f"{HERE}/test_doors.py::test_one_address_tries_no_long_list_of_people_whatever_it_says_of_itself",
            f"{HERE}/test_doors.py::test_a_code_of_an_app_is_guessed_few_times_wherever_from",
            f"{HERE}/test_doors.py::test_a_code_of_an_app_is_good_once",
            f"{HERE}/test_doors.py::test_a_code_of_a_mail_is_guessed_three_times",
            f"{HERE}/test_doors.py::test_who_has_only_a_session_does_not_guess_the_password",
            f"{HERE}/test_doors.py::test_a_link_of_a_mail_is_good_once_and_for_one",
            f"{HERE}/test_doors.py::test_resets_do_not_fill_a_mailbox",
            f"{ACCOUNTS}/test_sign_in.py::test_wrong_passwords_are_slowed_down_while_redis_is_away",
            "tradingarena/tests/test_problem.py::test_wrong_tokens_are_limited_by_address",
        ),
    ),
    Attack(
        "Invented addresses and countries in forwarded headers",
        (
            f"{HERE}/test_doors.py::test_one_address_tries_no_long_list_of_people_whatever_it_says_of_itself",
            "tradingarena/tests/test_problem.py::test_an_address_cannot_be_invented",
            f"{REALTIME}/test_people.py::test_forwarded_addresses_count_only_from_configured_proxies",
            f"{ACCOUNTS}/test_policy.py::test_a_client_cannot_choose_its_country",
        ),
    ),
    Attack(
        "Invented hosts, in requests and so in links of mails",
        (
            f"{HERE}/test_doors.py::test_another_host_is_refused",
            f"{HERE}/test_doors.py::test_links_in_mails_lead_here_whatever_a_request_says",
        ),
    ),
    Attack(
        "Sessions planted, invented, or kept after signing out, a new password or a ban",
        (
            f"{HERE}/test_doors.py::test_a_session_that_somebody_else_has_put_there_is_not_the_one_that_signs_in",
            f"{HERE}/test_doors.py::test_an_invented_session_key_is_not_taken_over",
            f"{HERE}/test_doors.py::test_signing_out_and_a_new_password_end_sessions",
            f"{ACCOUNTS}/test_people.py::test_a_ban_deletes_the_sessions",
        ),
    ),
    Attack("Cookies over plain HTTP, read by scripts, sent by other sites",
           (f"{HERE}/test_doors.py::test_every_cookie_is_for_tls_and_for_our_own_pages",)),
    Attack("Another method than that of the request line",
           (f"{HERE}/test_doors.py::test_a_method_is_the_one_of_the_request_line",)),
    Attack("A parameter or key that comes twice", (f"{HERE}/test_doors.py::test_a_parameter_that_comes_twice_is_refused",)),
    Attack(
        "Headers and the content security policy on every page and refusal, in a real browser too; answers kept by caches; frames",
        (
            f"{HERE}/test_headers.py::test_every_page_tells_browsers_what_they_must_not_do",
            f"{HERE}/test_headers.py::test_only_what_is_meant_for_other_pages_may_be_framed",
            f"{HERE}/test_headers.py::test_no_script_or_style_stands_in_a_template_without_a_nonce",
            f"{HERE}/test_browser.py::test_no_page_runs_what_people_wrote_or_breaks_its_policy",
        ),
    ),
    Attack("Settings that production must not have (`check --deploy`)",
           (f"{HERE}/test_headers.py::test_production_passes_djangos_own_checks",)),
    Attack(
        "Bodies and frames that are too large, in pieces, without an end",
        (
            "tradingarena/tests/test_server.py::test_an_endless_body_is_cut_off_with_413",
            f"{REALTIME}/test_frames.py::test_a_frame_over_16_kib_closes_with_1009",
            f"{REALTIME}/test_frames.py::test_a_frame_in_pieces_or_compressed_cannot_be_larger_either",
        ),
    ),
    Attack(
        "Payments that nobody made: unsigned, old, of another amount or person",
        (
            "tokens/tests/payments/test_acceptance.py::test_s6_what_is_not_signed_by_the_provider_now_is_refused_and_not_stored",
            "tokens/tests/payments/test_acceptance.py::test_s5_another_amount_or_currency_is_quarantined",
            "tokens/tests/payments/test_acceptance.py::test_what_is_anothers_does_not_exist",
        ),
    ),
    Attack(
        "Staff alone: value moved, history edited, roles given to oneself",
        (
            "tokens/tests/test_desk.py::test_an_adjustment_takes_two_people",
            "tokens/tests/ledger/test_guards.py::test_rows_of_the_ledger_are_never_changed",
            f"{ACCOUNTS}/test_admin.py::test_a_moderator_gives_no_roles_and_disables_no_admin",
            f"{ACCOUNTS}/test_admin.py::test_staff_without_a_second_factor_are_sent_to_set_one_up",
        ),
    ),
)  # fmt: skip
NOT_COVERED = (
    "The time that answers take is held by the work that is done (how often a password is hashed), not by a clock: the rows that a sign-up"
    " inserts still take longer than the mail that an existing account gets.",
    "A name at sign-up is told to be taken: names are public. Whoever knows a name can have its owner wait five minutes for a password"
    " sign-in, by guessing wrong five times; passkeys are not affected.",
    "What stands in front of the site: TLS, the proxy's own parsing of requests (smuggling), floods below HTTP.",
    "Packages that the site is made of; their versions and hashes are locked, and nothing here looks for known faults in them.",
    "Files: there are no uploads, and a test says so; avatars, should they come, need bounds and encoding anew.",
    "Parts of pages that are loaded into others are read as everybody, and opened in a browser only within their pages.",
    "The admin site is read whole for markup and posted to for CSRF as an operator; who sees which of its pages is in each app's tests.",
)


def nodes() -> list[str]:
    """List every test that the table names, once."""
    return list(dict.fromkeys(test for attack in ATTACKS for test in attack.tests))
