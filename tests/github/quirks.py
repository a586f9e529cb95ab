"""The quirks of GitHub that the fake has, each under the name of its case, and the tests of each.

`@quirk("the case", ...)` above a function of the fake says which cases it is the code of. Those with
a number are the thirty of a list made when the platform was looked through; their tests, where the
fake's own do not show them, are in the table of `tests.app.test_checklist`, whose names these are.
`test_quirks.py` holds the table, the code and the tests against each other.
"""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

HUB, GIT = "tests/github/test_hub.py", "tests/github/test_git_data.py"
LOGIN, CI = "tests/app/web/test_login.py", "tests/app/github/test_ci.py"
RUNS = "tests/app/github/test_workflow_runs.py"

QUIRKS: dict[str, tuple[str, ...]] = {
    # Of the list.
    "1 a webhook is answered in ten seconds": (
        f"{HUB}::test_a_delivery_is_waited_for_and_no_longer",
    ),
    "2 a redelivery has the same GUID": (
        f"{HUB}::test_a_delivery_is_signed_and_a_redelivery_keeps_its_guid",
    ),
    "3 pushes arrive out of order": (),
    "4 a body of 25 MB": (),
    "5 a signature that is bad, missing or SHA-1 alone": (
        f"{HUB}::test_a_delivery_is_signed_and_a_redelivery_keeps_its_guid",
        f"{HUB}::test_the_signature_is_the_one_of_githubs_own_example",
    ),
    "6 a token of 520 characters with dots": (
        f"{HUB}::test_a_token_has_520_characters_with_dots_dashes_and_underscores",
    ),
    "7 a token that ends in the middle": (
        f"{HUB}::test_a_token_ends_after_an_hour_in_the_middle_of_the_work",
    ),
    "8 limits of the rate, primary and secondary, with and without a time": (
        f"{HUB}::test_a_limit_comes_with_its_headers_and_nothing_is_applied",
    ),
    "9 a 502 after the review was made": (
        f"{HUB}::test_a_502_after_the_review_was_made_hides_that_it_was",
        f"{HUB}::test_a_connection_can_be_cut_on_either_side_of_a_write",
    ),
    "10 a 422 in every wording": (
        f"{HUB}::test_a_line_of_a_hunk_takes_a_comment",
        f"{HUB}::test_a_review_shows_its_comments_as_they_were_placed",
        f"{HUB}::test_one_bad_line_refuses_the_whole_review_in_the_words_of_its_year",
        f"{HUB}::test_the_other_route_for_comments_names_the_field_of_a_bad_line",
    ),
    "11 a stray pending review": (
        f"{HUB}::test_a_pending_review_is_seen_by_its_author_alone_and_bars_the_next",
        f"{HUB}::test_a_pending_review_can_be_submitted_once",
    ),
    "12 our own pull request": (f"{HUB}::test_nobody_judges_their_own_pull_request",),
    "13 a diff that GitHub refuses (406)": (
        f"{HUB}::test_a_diff_of_more_than_300_files_is_refused_and_the_list_ends_at_3000",
        f"{HUB}::test_a_diff_in_its_own_media_type_is_text",
    ),
    "14 files without a patch": (f"{HUB}::test_a_file_that_is_binary_or_only_moved_has_no_patch",),
    "15 3,001 files": (
        f"{HUB}::test_a_diff_of_more_than_300_files_is_refused_and_the_list_ends_at_3000",
    ),
    "16 the check run of a fork names no pull request": (
        f"{HUB}::test_a_check_run_knows_no_pull_request_of_a_fork",
    ),
    "17 bytes, not characters": (
        f"{HUB}::test_a_body_holds_65536_characters_not_bytes",
        f"{HUB}::test_a_summary_is_measured_in_bytes",
    ),
    "18 51 annotations": (f"{HUB}::test_a_request_takes_50_annotations_and_an_update_adds_more",),
    "19 another base": (),
    "20 a push by force during the review": (
        f"{HUB}::test_a_force_push_makes_comments_on_changed_files_outdated",
        f"{HUB}::test_a_commit_before_the_head_can_still_be_reviewed",
    ),
    "21 our own comment comes back": (
        f"{HUB}::test_payloads_fit_the_schemas_of_octokit_and_of_github",
    ),
    "22 who may only read": (
        f"{HUB}::test_a_role_is_told_in_the_four_old_words_and_by_its_name",
        f"{HUB}::test_who_is_no_user_has_no_permission_to_ask_about",
        f"{HUB}::test_everybody_reads_a_public_repository_and_only_writers_see_permissions",
    ),
    "23 a command on an issue": (f"{HUB}::test_an_issue_is_no_pull_request",),
    "24 a permission that was not accepted, or in part": (
        f"{HUB}::test_a_permission_that_was_not_accepted_is_named_in_the_refusal",
        f"{HUB}::test_a_token_holds_what_was_asked_for_and_no_more",
        f"{GIT}::test_who_may_not_write_contents_is_told_so",
    ),
    "25 a repository or pull request that is gone": (
        f"{HUB}::test_a_repository_taken_out_of_the_installation_is_gone",
    ),
    "26 a locked conversation": (
        f"{HUB}::test_a_locked_pull_request_takes_no_comment_and_no_review_from_a_bot",
    ),
    "27 the base is not the merge base": (
        f"{HUB}::test_the_base_of_a_pull_request_is_not_its_merge_base",
    ),
    "28 servers of one's own": (),
    "29 a thread that may not be resolved": (),
    "30 links, submodules, LFS and .git": (
        f"{HUB}::test_a_pull_request_may_hold_links_submodules_and_odd_names",
    ),
    "closed or merged meanwhile": (f"{HUB}::test_a_closed_pull_request_is_merged_or_not",),
    "renamed or transferred": (f"{HUB}::test_an_old_name_redirects_to_the_number",),
    "no commits": (f"{GIT}::test_a_repository_without_a_commit_is_empty",),
    "a clock that jumps": (
        f"{HUB}::test_a_wrong_jwt_is_refused_in_githubs_words",
        f"{HUB}::test_a_clock_that_is_wrong_spoils_a_jwt_that_looks_right",
        f"{HUB}::test_only_the_apps_own_key_signs_for_it",
    ),
    "code scanning where allowed": (),
    # Beside it: reviews and conversations.
    "a review says something": (f"{HUB}::test_a_review_has_to_say_something",),
    "a review is of a commit of its pull request": (
        f"{HUB}::test_a_review_of_a_commit_from_elsewhere_is_refused",
    ),
    "a submitted review stays": (f"{HUB}::test_a_submitted_review_cannot_be_deleted",),
    "who may not write to a repository edits only their own words": (
        f"{HUB}::test_a_comment_is_edited_in_place_and_deleted",
        f"{HUB}::test_a_person_without_write_access_edits_only_their_own_words",
    ),
    "an answer hangs on the first comment of its thread": (
        "tests/app/github/test_threads.py::test_an_answer_to_a_thread_that_is_gone_is_refused",
    ),
    "a second reaction of a kind is the first one": (
        f"{HUB}::test_a_second_reaction_of_a_kind_is_the_first_one",
    ),
    "GraphQL lists no more than a hundred": (
        "tests/app/github/test_threads.py::test_many_threads_come_in_pages",
    ),
    # Who asks.
    "what one may not see is not there": (
        f"{HUB}::test_a_private_repository_is_not_there_for_others",
    ),
    "an App that is suspended or uninstalled gets nothing": (
        f"{HUB}::test_an_app_that_is_suspended_or_uninstalled_gets_nothing",
    ),
    "a revoked token is a bad one": (f"{HUB}::test_a_revoked_token_is_a_bad_one",),
    "the code of a manifest works once": (
        f"{HUB}::test_a_manifest_becomes_an_app_whose_code_works_once",
        f"{HUB}::test_a_manifest_that_github_would_not_take_makes_no_app",
    ),
    "errors of a login come as a 200": (f"{LOGIN}::test_errors_that_come_as_200_are_errors",),
    "the code of a login is good once, for who asked": (
        f"{LOGIN}::test_the_same_answer_twice_logs_nobody_in_again",
        f"{LOGIN}::test_pkce_a_code_is_worth_nothing_to_whoever_did_not_ask_for_it",
    ),
    "an App sees what both it and the person may": (
        f"{LOGIN}::test_somebody_logs_in_and_is_sent_to_the_page_they_wanted",
    ),
    # Checks and pull requests.
    "a conclusion completes a check run": (f"{HUB}::test_a_conclusion_completes_a_check_run",),
    "Apps alone write checks, and each its own": (
        f"{HUB}::test_only_apps_write_checks_and_each_its_own",
    ),
    "check runs are found by name and App": (
        f"{HUB}::test_check_runs_of_a_commit_are_found_by_name_and_app",
    ),
    "statuses are no check runs, and have a permission of their own": (
        f"{CI}::test_check_runs_and_statuses_are_read_and_ours_are_left_out",
        f"{CI}::test_without_the_permission_statuses_are_left_and_that_is_said",
    ),
    "a run that a comment started names no pull request": (
        f"{RUNS}::test_the_runs_of_a_pull_request_are_told_by_their_title_alone",
    ),
    "a run that has ended is not cancelled": (f"{RUNS}::test_a_run_is_cancelled_once",),
    "whether it can be merged is not known at the first look": (
        f"{HUB}::test_mergeable_is_null_at_the_first_look",
    ),
    "a deleted fork leaves the head without a repository": (
        f"{HUB}::test_a_deleted_fork_leaves_the_head_without_a_repository",
    ),
    "a file of more than a megabyte is listed and not shown": (
        f"{HUB}::test_a_file_is_read_from_the_default_branch_and_not_beyond_a_megabyte",
    ),
    "a pull request needs two branches and a commit": (
        f"{GIT}::test_a_pull_request_is_opened_into_another_ones_branch_and_closed",
        f"{GIT}::test_a_pull_request_needs_two_branches_and_a_commit",
    ),
    "a branch takes its pull requests along": (
        f"{GIT}::test_deleting_either_branch_closes_the_pull_request",
        f"{GIT}::test_a_push_to_a_branch_moves_its_pull_request",
    ),
    # Git.
    "a tree is its base with entries put in and taken out": (
        f"{GIT}::test_a_tree_is_its_base_with_entries_put_in_and_taken_out",
        f"{GIT}::test_a_tree_is_refused",
    ),
    "a commit without an author is the App's, and signed": (
        f"{GIT}::test_a_commit_without_an_author_is_the_apps_and_signed_and_never_the_same_again",
        f"{GIT}::test_a_commit_with_an_author_and_a_date_is_the_same_again_and_not_signed",
    ),
    "a reference moves forwards, where no rule forbids it": (
        f"{GIT}::test_a_reference_is_made_moved_and_deleted",
        f"{GIT}::test_a_rule_may_forbid_new_branches",
    ),
    "git asks for a token where the repository is private": (
        f"{HUB}::test_git_of_a_private_repository_wants_a_token_that_may_read_contents",
        f"{HUB}::test_git_of_a_public_repository_asks_nobody",
        f"{HUB}::test_nothing_can_be_pushed",
    ),
    "the head of a fork is in the base's repository": (
        f"{HUB}::test_the_head_of_a_fork_is_fetched_by_sha_from_the_base_repository",
    ),
    # Every answer.
    "pages are addressed by the repository's number": (
        f"{HUB}::test_a_list_comes_in_pages_addressed_by_the_number_of_the_repository",
    ),
    "an answer tells the rate": (f"{HUB}::test_an_answer_tells_the_rate_and_its_own_name",),
    "what one has already costs nothing": (f"{HUB}::test_what_was_read_already_is_not_sent_again",),
    "a body that the schema does not have is refused": (
        f"{HUB}::test_a_request_that_githubs_document_does_not_allow_fails_the_test_that_made_it",
    ),
    "a payload is what octokit and GitHub say it is": (
        f"{HUB}::test_payloads_fit_the_schemas_of_octokit_and_of_github",
    ),
}


def quirk(*cases: str) -> Callable[[Function], Function]:
    """Say of which cases a function is the code; it stays as it is."""
    assert cases and all(case in QUIRKS for case in cases), f"no such case: {cases}"
    return lambda function: function
