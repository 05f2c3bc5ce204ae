//! What every store promises, as tests that each store passes as they are.
//!
//! A promise is an async function of an open, empty store. [`store_suite`] makes each of them a `#[test]` of
//! its own in the module that calls it:
//!
//! ```ignore
//! store_suite!(async {
//!     let folder = tempfile::tempdir().unwrap();
//!     Some((SledStore::open(folder.path()).await.unwrap(), folder))
//! });
//! ```
//!
//! The second part of the pair is kept until the test is over; `None` where the store can't be had on this machine. To add one more promise: write it in the file
//! of its subject, and name it below; one that is not named is dead code, which the compiler tells.

pub(super) mod accounts;
pub(super) mod api_tokens;
pub(super) mod copying;
pub(super) mod identities;
pub(super) mod lists;
pub(super) mod members;
pub(super) mod search;
pub(super) mod sessions;
pub(super) mod support;
pub(super) mod thoughts;
pub(super) mod unsent;
pub(super) mod whole;

/// Makes a test of every promise; takes a future of a store and of what has to be kept beside it, or of nothing.
macro_rules! store_suite {
    ($open:expr) => {
        $crate::store::suite::store_suite! { $open;
            thoughts {
                what_was_shared_is_found_with_its_author
                what_was_never_shared_is_not_found
                the_same_id_is_not_stored_twice
                the_longest_message_comes_back_as_it_was
                the_same_once_value_stores_one_thought
                a_once_value_is_its_authors_own
                a_once_value_is_known_until_it_is_purged
                a_once_value_still_gives_a_thought_that_was_deleted
                an_edit_changes_the_thought_and_keeps_what_it_said
                an_edit_that_changes_nothing_writes_nothing
                a_change_of_audience_alone_keeps_no_revision
                what_does_not_exist_or_is_deleted_is_not_edited
                a_deleted_thought_is_gone_and_can_still_be_asked_for
                a_restored_thought_is_as_it_was
                a_thought_is_deleted_and_restored_once
                what_was_deleted_long_ago_is_purged_with_its_revisions
                a_restored_thought_is_not_purged
                a_purge_goes_no_further_than_its_limit
                the_trash_is_read_latest_first_and_within_reach
                a_page_of_the_trash_looks_at_so_many_and_no_more
            }
            lists {
                an_empty_store_has_an_empty_feed
                every_visibility_reaches_just_whom_it_says
                a_private_thought_stays_with_its_author
                a_group_is_known_by_its_whole_name
                a_thought_within_reach_in_several_ways_stands_there_once
                a_feed_of_many_groups_is_in_order
                twenty_thoughts_are_one_page
                twenty_one_thoughts_are_two_pages
                a_page_continues_where_the_last_one_ended_whatever_is_shared_meanwhile
                a_page_of_nothing_has_no_next
                a_page_is_full_though_most_of_what_is_stored_is_out_of_reach
                a_deleted_thought_leaves_every_list_and_a_restored_one_is_back_in_its_place
                a_thought_moves_between_lists_when_its_audience_changes
                a_members_list_holds_that_members_thoughts_alone
                an_author_is_called_what_they_are_called_now
            }
            search {
                what_was_shared_is_found_at_once_newest_first
                every_script_is_found
                nobody_finds_what_is_out_of_their_reach
                a_thought_is_found_by_what_it_says_now
                what_is_deleted_is_not_found_and_what_is_restored_is
                what_is_found_is_read_a_page_at_a_time_whatever_is_shared_meanwhile
                what_was_shared_long_ago_is_found
                words_are_found_together_however_common_each_is_and_when
                whatever_happens_what_is_found_is_what_says_so
                what_many_write_at_once_is_found
            }
            members {
                a_first_sign_in_makes_a_member
                the_next_sign_in_brings_the_member_up_to_date_and_leaves_the_handle
                issuer_and_subject_together_say_who_it_is
                what_a_provider_says_later_changes_a_member_and_makes_none
                a_taken_handle_gets_the_first_free_number
                who_never_signed_in_is_nobody
                two_sign_ins_at_once_make_one_member
                members_who_come_at_once_have_handles_of_their_own
                members_are_listed_newest_first_a_page_at_a_time
                who_was_deleted_is_listed_no_more
            }
            identities {
                a_linked_identity_signs_the_same_member_in
                an_identity_of_anothers_is_not_linked
                one_identity_at_an_issuer_is_enough
                an_identity_linked_at_once_by_two_is_one_members
                an_identity_that_was_unlinked_is_nobodys
                unlinking_ends_the_sessions_begun_with_it_and_no_other
                the_last_identity_stays
                two_that_are_unlinked_at_once_leave_one
            }
            sessions {
                a_session_comes_back_as_it_was_begun
                whoever_is_signed_in_is_found_with_their_session
                many_who_ask_at_once_are_each_told_who_they_are
                a_session_that_replaces_another_ends_it
                a_touch_notes_the_latest_use_and_never_an_earlier_one
                a_touch_never_brings_back_an_ended_session
                an_ended_session_is_given_once
                a_members_sessions_stand_latest_first_and_are_theirs_alone
                all_sessions_of_a_member_end_save_the_one_excepted
                a_session_that_is_not_the_members_excepts_nothing
                sessions_past_their_end_are_purged
                a_purge_goes_no_further_than_its_limit
                a_touch_and_an_end_at_once_leave_no_session
                a_logout_by_sid_ends_the_sessions_begun_through_it_alone
                a_logout_by_sub_ends_all_of_that_members_sessions_with_that_provider
                a_logout_counts_once_until_it_is_purged
                whose_session_has_ended_is_known_until_it_would_have_ended_anyway
                whatever_ends_a_session_notes_why_and_when_and_the_first_counts
                the_turn_to_refresh_is_one_at_a_time_and_ends_by_itself
                what_a_refresh_brings_is_kept_with_the_session
                a_refresh_never_brings_back_an_ended_session
            }
            accounts {
                nothing_of_a_deleted_member_is_found_from_then_on
                another_members_things_stay_as_they_are
                whoever_signs_in_again_is_somebody_new_and_the_handle_is_free_when_all_is_purged
                a_member_is_deleted_once_and_who_is_nobody_never
                what_was_under_way_when_a_member_went_leaves_nothing
                many_leave_at_once_and_all_is_purged_in_small_steps
            }
            api_tokens {
                a_token_comes_back_as_it_was_made
                a_members_tokens_stand_latest_first_and_are_theirs_alone
                a_use_notes_the_latest_and_never_an_earlier_one
                a_revoked_token_is_given_once_and_no_use_brings_it_back
                nobody_revokes_anothers_token
                the_same_once_value_makes_one_token_though_it_was_revoked
                a_once_value_of_a_thought_is_another_than_that_of_a_token
                a_member_has_so_many_tokens_and_no_more
                tokens_made_at_once_are_no_more_than_a_member_may_have
            }
            copying {
                a_snapshot_has_records_of_every_kind_in_their_order
                a_snapshot_is_of_one_moment_whatever_is_written_meanwhile
                a_snapshot_of_some_kinds_has_no_others
                what_was_put_back_is_found_as_it_was
                what_is_put_takes_the_place_of_what_is_there
                a_fill_is_known_until_it_is_done
                whoever_follows_changes_serves_it
            }
            unsent {
                a_text_is_kept_until_it_is_forgotten
                texts_kept_long_ago_are_purged
                one_text_too_many_takes_the_place_of_the_oldest
            }
            whole {
                thirty_two_writers_at_once_lose_nothing_and_the_lists_agree
                readers_beside_a_writer_see_nothing_half_done
                the_same_once_value_sent_at_once_stores_one_thought
                an_open_store_answers
                a_store_says_how_much_room_it_takes
                a_closed_store_refuses_everything_and_closes_again
                what_was_asked_before_closing_is_answered
            }
        }
    };
    ($open:expr; $($subject:ident { $($promise:ident)* })*) => {$(
        mod $subject {
            use super::*;

            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $promise() {
                // Where a store can't be had here, it has been said why.
                let Some((store, kept)) = $open.await else { return };
                $crate::store::suite::$subject::$promise(std::sync::Arc::new(store)).await;
                drop(kept);
            })*
        }
    )*};
}

pub(super) use store_suite;
