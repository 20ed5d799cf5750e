//! Small policies on made-up scores and readings → what is told, in which order, and what is refused.

use std::collections::BTreeSet;

use super::*;
use crate::scoring::{Readings, Scores};
use crate::vocabulary::{Face, Species};

const RULES: &str = "id = \"test\"\nlegible_from = 0.5\n\
    [risk.screen_recapture]\nquantity = \"score.screen\"\nbad = \"above\"\nseverity = \"high\"\n\
    review = 0.4\nreject = 0.8\nclassify = 0.5\n\
    [risk.tilted]\nquantity = \"framing.tilt_deg\"\nbad = \"above\"\nseverity = \"low\"\nretake = 30.0\n";

fn policy(text: &str) -> Result<Policy, PolicyError> {
    Policy::parse(text, &BTreeSet::from(["framing.tilt_deg"]))
}

fn verdict(screen: Option<f64>, tilt: f64) -> Verdict {
    let scores = Scores { screen, ..Scores::default() };
    policy(RULES).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None)
}

#[test]
fn the_worst_reason_decides_and_comes_first() {
    let verdict = verdict(Some(0.9), 40.0);
    assert_eq!(verdict.decision, Decision::Reject);
    assert_eq!(verdict.classification, Classification::Attack(Species::Screen));
    let codes: Vec<_> = verdict.reasons.iter().map(|r| r.code).collect();
    assert_eq!(codes, ["screen_recapture", "tilted"]);
    assert!((verdict.reasons[0].margin - 0.1).abs() < 1e-9);
}

#[test]
fn a_band_below_rejection_is_reviewed() {
    assert_eq!(verdict(Some(0.45), 0.0).decision, Decision::Review);
    assert_eq!(verdict(Some(0.45), 0.0).classification, Classification::BonaFide);
    assert_eq!(verdict(Some(0.1), 40.0).decision, Decision::Retake);
    assert_eq!(verdict(Some(0.1), 0.0).decision, Decision::Accept);
}

#[test]
fn without_any_score_there_is_no_response_and_a_person_looks() {
    let verdict = verdict(None, 0.0);
    assert_eq!((verdict.classification, verdict.decision), (Classification::NoResponse, Decision::Review));
}

#[test]
fn unknown_names_are_refused_by_name() {
    let refused = |from: &str, to: &str| policy(&RULES.replace(from, to)).expect_err(to).to_string();
    assert!(refused("retake", "retaek").contains("retaek"));
    assert!(refused("risk.tilted", "risk.tlited").contains("tlited"));
    assert!(refused("framing.tilt_deg", "framing.tilt_rad").contains("framing.tilt_rad"));
    assert!(refused("reject = 0.8", "reject = 0.3").contains("harsher"));
    assert!(refused("reject = 0.8", "reject = nan").contains("not a number"));
}

#[test]
fn a_file_may_begin_with_the_shipped_rules() {
    let known = crate::checker::known_readings();
    let shipped = Policy::shipped(&known).expect("the shipped policy is good");
    let text = "id = \"mine\"\nbase = \"shipped\"\n[override.screen_recapture]\nreject = 0.99\n";
    let mine = Policy::parse(text, &known).expect("good");
    assert_eq!((mine.id(), mine.rules.len()), ("mine", shipped.rules.len()));
}

#[test]
fn a_check_can_be_relaxed_tightened_and_turned_off() {
    let text = format!("{RULES}relaxed = {{ retake = 50.0 }}\nstrict = {{ retake = 10.0 }}\n");
    let tilted = |level: Sensitivity, tilt: f64| {
        let policy = policy(&text).expect("good").with("tilted", level).expect("known");
        let scores = Scores { screen: Some(0.0), ..Scores::default() };
        policy.judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None).decision
    };
    assert_eq!(tilted(Sensitivity::Normal, 40.0), Decision::Retake);
    assert_eq!(tilted(Sensitivity::Relaxed, 40.0), Decision::Accept);
    assert_eq!(tilted(Sensitivity::Strict, 20.0), Decision::Retake);
    assert_eq!(tilted(Sensitivity::Off, 80.0), Decision::Accept);
    let policy = policy(&format!("{text}[sensitivity]\ntilted = \"strict\"\n")).expect("good");
    assert_eq!(policy.clone().with("tilted", Sensitivity::Off).expect("known").id(), "test+tilted=off");
    assert!(policy.with("glare", Sensitivity::Off).is_err());
}

#[test]
fn a_cause_is_told_only_where_the_document_cannot_be_read_and_names_the_place() {
    let text = "id = \"test\"\nlegible_from = 0.5\n[risk.covered]\nquantity = \"framing.tilt_deg\"\n\
        bad = \"above\"\nseverity = \"low\"\nretake = 0.1\n\
        when = [{ quantity = \"score.legibility\", below = 0.5 }]\n";
    let readings = Readings::from([("framing.tilt_deg", 0.4)]);
    let told = |legibility: f64| {
        let scores = Scores { screen: Some(0.0), legibility: Some(legibility), ..Scores::default() };
        let place = Place { polygon: Vec::new(), zone: Some(Zone::LowerRight), shown_by: vec![Pointer::Document] };
        policy(text).expect("good").judge(&scores, &readings, |_| Some(place.clone())).reasons
    };
    assert!(told(0.9).is_empty());
    assert!(told(0.2)[0].en.contains("covers the lower right of the document"), "{}", told(0.2)[0].en);
}

#[test]
fn of_equal_weight_the_surer_reason_comes_first() {
    let text = "id = \"test\"\nlegible_from = 0.5\n\
        [risk.blurred]\nquantity = \"score.print\"\nbad = \"above\"\nseverity = \"low\"\nretake = 0.5\n\
        [risk.tilted]\nquantity = \"framing.tilt_deg\"\nbad = \"above\"\nseverity = \"low\"\nretake = 1.0\n\
        sure = 11.0\n";
    let first = |print: f64, tilt: f64| {
        let scores = Scores { screen: Some(0.0), print: Some(print), ..Scores::default() };
        let readings = Readings::from([("framing.tilt_deg", tilt)]);
        policy(text).expect("good").judge(&scores, &readings, |_| None).reasons[0].code
    };
    // Half way from the threshold to certainty against a tenth or nine tenths of the way.
    assert_eq!((first(0.75, 2.0), first(0.75, 10.0)), ("blurred", "tilted"));
}

#[test]
fn a_rule_is_not_judged_on_what_it_is_not_for_and_a_value_on_a_lower_bound_is_good() {
    let known = BTreeSet::from(["framing.tilt_deg", "document_net.none", "document_net.page"]);
    let text = "id = \"test\"\nlegible_from = 0.5\n[risk.illegible]\nquantity = \"score.legibility\"\n\
        bad = \"below\"\nseverity = \"low\"\nretake = 0.5\nnot_faces = [\"none\"]\n";
    let policy = Policy::parse(text, &known).expect("good");
    let told = |legibility: f64, page: f64| {
        let scores = Scores { screen: Some(0.0), legibility: Some(legibility), ..Scores::default() };
        let readings = Readings::from([("document_net.page", page), ("document_net.none", 1.0 - page)]);
        policy.judge(&scores, &readings, |_| None).reasons.len()
    };
    assert_eq!((told(0.4, 0.9), told(0.4, 0.1), told(0.5, 0.9)), (1, 0, 0));
}

#[test]
fn an_override_changes_one_risk_alone() {
    let off = format!("{RULES}[override.tilted]\nenabled = false\n");
    let readings = Readings::from([("framing.tilt_deg", 80.0)]);
    let scores = Scores { screen: Some(0.0), ..Scores::default() };
    assert_eq!(policy(&off).expect("good").judge(&scores, &readings, |_| None).decision, Decision::Accept);
    let unknown = format!("{RULES}[override.glare]\nenabled = false\n");
    assert!(policy(&unknown).expect_err("no rule for glare").to_string().contains("glare"));
}

#[test]
fn no_more_reasons_are_told_than_the_policy_says_and_the_decision_is_the_worst_of_all() {
    let text = RULES.replace("legible_from = 0.5", "legible_from = 0.5\nreasons_at_most = 1");
    let scores = Scores { screen: Some(0.5), ..Scores::default() };
    let verdict = policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", 40.0)]), |_| None);
    assert_eq!((verdict.reasons.len(), verdict.decision), (1, Decision::Review));
}

#[test]
fn a_fallback_is_told_only_where_nothing_else_is() {
    let text = format!(
        "{RULES}[risk.illegible]\nquantity = \"score.legibility\"\nbad = \"below\"\nseverity = \"low\"\n\
         retake = 0.5\nfallback = true\n"
    );
    let told = |tilt: f64| {
        let scores = Scores { screen: Some(0.0), legibility: Some(0.1), ..Scores::default() };
        let judged =
            policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None);
        judged.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>()
    };
    assert_eq!((told(0.0), told(40.0)), (vec!["illegible"], vec!["tilted"]));
}

#[test]
fn a_suspicion_is_told_as_one() {
    let told = |screen: f64| verdict(Some(screen), 0.0).reasons[0].en.clone();
    assert!(told(0.5).contains("cannot be ruled out"), "{}", told(0.5));
    assert!(told(0.9).contains("looks like a photograph of a screen"), "{}", told(0.9));
}

#[test]
fn what_supersedes_leaves_only_harsher_reasons_beside_it() {
    let text = format!(
        "{RULES}[risk.no_document]\nquantity = \"score.legibility\"\nbad = \"below\"\nseverity = \"low\"\n\
         retake = 0.5\nsupersedes = true\n"
    );
    let told = |screen: f64, legibility: f64| {
        let scores = Scores { screen: Some(screen), legibility: Some(legibility), ..Scores::default() };
        let judged =
            policy(&text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", 40.0)]), |_| None);
        judged.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>()
    };
    assert_eq!(told(0.0, 0.9), ["tilted"]);
    assert_eq!(told(0.0, 0.1), ["no_document"]);
    assert_eq!(told(0.9, 0.1), ["screen_recapture", "no_document"]);
}

#[test]
fn a_suspicion_yields_to_what_shows_nothing_to_read_and_a_certainty_does_not() {
    let text = RULES.replace("classify = 0.5", "classify = 0.5\nyields_to = [\"tilted\"]");
    let told = |text: &str, screen: f64, tilt: f64| {
        let scores = Scores { screen: Some(screen), ..Scores::default() };
        let judged =
            policy(text).expect("good").judge(&scores, &Readings::from([("framing.tilt_deg", tilt)]), |_| None);
        (judged.decision, judged.classification, judged.reasons[0].code)
    };
    let attack = Classification::Attack(Species::Screen);
    assert_eq!(told(&text, 0.6, 40.0), (Decision::Retake, attack, "tilted"));
    assert_eq!(told(&text, 0.6, 0.0), (Decision::Review, attack, "screen_recapture"));
    assert_eq!(told(&text, 0.9, 40.0), (Decision::Reject, attack, "screen_recapture"));
    // Where the other risk is off, the suspicion stands.
    let off = format!("{text}[override.tilted]\nenabled = false\n");
    assert_eq!(told(&off, 0.6, 40.0), (Decision::Review, attack, "screen_recapture"));
    assert!(policy(&text.replace("[\"tilted\"]", "[\"tlited\"]")).expect_err("unknown").to_string().contains("tlited"));
}

/// What the shipped policy tells of an original that cannot be accused, of which `readings` were measured.
fn shipped(legibility: Option<f64>, readings: &[(&'static str, f64)]) -> Vec<&'static str> {
    let policy = Policy::shipped(&crate::checker::known_readings()).expect("the shipped policy is good");
    let scores = Scores { screen: Some(0.0), print: Some(0.0), legibility };
    let judged = policy.judge(&scores, &readings.iter().copied().collect(), |_| None);
    judged.reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn what_is_said_of_one_kind_of_document_is_said_where_it_surely_is_one() {
    let grey = |sure: f64| {
        shipped(
            Some(0.9),
            &[
                ("document_net.portrait_side", sure),
                ("document_net.confidence", sure),
                ("locator.found", 1.0),
                ("colour.document_residual", 0.9),
                ("colour.surround_residual", 9.0),
            ],
        )
    };
    assert_eq!((grey(0.9), grey(0.5)), (vec!["grey_copy"], vec![]));
}

#[test]
fn print_that_is_surely_read_is_a_document_without_a_border() {
    let told = |share: f64, readable: f64| {
        let readings = [("locator.found", 0.0), ("legibility.print_share", share), ("legibility.readable", readable)];
        shipped(Some(0.9), &readings)
    };
    assert_eq!((told(0.15, 0.98), told(0.30, 0.70)), (vec![], vec![]));
    assert_eq!((told(0.15, 0.90), told(0.05, 0.98)), (vec!["no_document"], vec!["no_document"]));
    assert_eq!(shipped(None, &[("locator.found", 0.0), ("legibility.print_share", 0.0)]), ["no_document"]);
}

#[test]
fn what_has_a_border_beyond_doubt_or_large_print_beyond_doubt_is_a_document() {
    let told = |legibility: f64, more: &[(&'static str, f64)]| {
        let bare = [("locator.found", 0.0), ("legibility.print_share", 0.05), ("legibility.zones_count", 4.0)];
        shipped(Some(legibility), &[&bare[..], more].concat())
    };
    let [read, unsure] = [("legibility.readable", 0.97), ("legibility.readable", 0.90)];
    assert!(told(0.9, &[read]).is_empty());
    assert_eq!(told(0.9, &[unsure]), ["no_document"]);
    assert!(told(0.9, &[unsure, ("locator.edge_support", 0.9)]).is_empty());
    assert_eq!(told(0.9, &[unsure, ("locator.edge_support", 0.7)]), ["no_document"]);
    assert_eq!(told(0.6, &[unsure, ("locator.edge_support", 0.9)]), ["no_document"]);
    // In one place or two, a sign that looks like a letter is as sure.
    assert_eq!(told(0.9, &[read, ("legibility.zones_count", 2.0)]), ["no_document"]);
    // Where several are seen that alone is said.
    assert_eq!(told(0.9, &[unsure, ("locator.others_count", 3.0)]), ["several_documents"]);
}

#[test]
fn without_a_document_that_is_said_alone_and_on_one_what_hides_its_print() {
    let told = |found: f64, more: &[(&'static str, f64)]| {
        let bare = [("locator.found", found), ("legibility.print_share", 0.05), ("legibility.print_px", 20.0)];
        shipped(Some(0.2), &[&bare[..], more].concat())
    };
    assert_eq!((told(0.0, &[]), told(1.0, &[])), (vec!["no_document"], vec!["no_print"]));
    let [wide, blur] = [("sharpness.wider_edge_px", 9.0), ("legibility.blur_ratio", 0.4)];
    let even = [wide, blur, ("sharpness.edge_width_px", 8.0), ("sharpness.motion_ratio", 1.1)];
    assert_eq!(told(1.0, &even), ["blurred"]);
    let along = [wide, blur, ("sharpness.edge_width_px", 3.0), ("sharpness.motion_ratio", 3.0)];
    assert_eq!(told(1.0, &along)[0], "moved");
    assert_eq!(told(1.0, &[("sharpness.wider_edge_px", 2.0), blur]), ["no_print"]);
}

/// A page that was found with print all over it, of which little can be read.
fn unread_page(more: &[(&'static str, f64)]) -> Vec<&'static str> {
    let page = [("locator.found", 1.0), ("document_net.page", 0.9), ("legibility.print_share", 0.6)];
    shipped(Some(0.2), &[&page[..], more].concat())
}

#[test]
fn blur_needs_print_to_compare_with_and_edges_wider_than_a_sharp_camera_makes_them() {
    let told = |px: f64, edges: f64| {
        let measured =
            [("legibility.blur_ratio", 0.3), ("sharpness.wider_edge_px", edges), ("legibility.print_px", px)];
        unread_page(&measured)
    };
    assert_eq!((told(20.0, 6.0), told(7.0, 1.8)), (vec!["blurred"], vec!["too_small"]));
    assert_eq!(unread_page(&[("legibility.blur_ratio", 0.3)]), ["illegible"]);
    // Wide in one direction and sharp in the other is not out of focus.
    let along = [("legibility.motion_ratio", 2.5), ("sharpness.wider_edge_px", 5.0), ("sharpness.edge_width_px", 1.5)];
    let print = [("legibility.blur_ratio", 0.3), ("legibility.print_px", 20.0)];
    assert_eq!(unread_page(&[&along[..], &print].concat()), ["moved"]);
    assert_eq!(unread_page(&[&along[..2], &print].concat()), ["moved", "blurred"]);
    // Specks that no height was measured of, without a border: there is no document.
    let specks = [("locator.found", 0.0), ("legibility.print_share", 0.25), ("legibility.readable", 0.3)];
    let blur = ("legibility.blur_ratio", 0.3);
    assert_eq!(shipped(Some(0.1), &[&specks[..], &[blur]].concat()), ["no_document"]);
    assert_eq!(shipped(Some(0.1), &[&specks[..], &[blur, ("legibility.print_px", 30.0)]].concat()), ["blurred"]);
}

#[test]
fn a_camera_that_moved_is_neither_compression_nor_small_print_nor_a_shadow() {
    let moved = [("legibility.motion_ratio", 2.2), ("legibility.blur_ratio", 0.17), ("legibility.print_px", 8.0)];
    let saved = [("legibility.block_ratio", 0.05), ("container.tables_quality", 30.0)];
    assert_eq!(unread_page(&[&moved[..], &saved].concat()), ["moved"]);
    let still = [("legibility.motion_ratio", 1.1), ("legibility.blur_ratio", 0.13), ("legibility.print_px", 20.0)];
    assert_eq!(unread_page(&[&still[..], &saved].concat()), ["compressed"]);
    // Far wider in one direction however narrow in the other; a shadow over print that is sharp alone.
    let far = [("legibility.motion_ratio", 2.2), ("legibility.blur_ratio", 0.10), ("legibility.print_px", 20.0)];
    assert_eq!(unread_page(&far), ["moved"]);
    let shade = |blur: f64| {
        unread_page(&[("legibility.shade_ratio", 0.3), ("legibility.blur_ratio", blur), ("legibility.print_px", 20.0)])
    };
    assert_eq!((shade(0.08), shade(0.3)), (vec!["shadow"], vec!["blurred"]));
}

#[test]
fn a_file_of_no_quality_is_compressed_however_it_is_read_and_tells_of_no_computer() {
    let page = [("locator.found", 1.0), ("legibility.print_share", 0.6), ("exposure.bright_luma", 200.0)];
    let told = |quality: f64, more: (&'static str, f64)| {
        shipped(Some(0.95), &[&page[..], &[("container.tables_quality", quality), more]].concat())
    };
    for drawn in [("rendered.even_share", 0.6), ("rendered.level_share", 0.9)] {
        assert_eq!((told(4.0, drawn), told(80.0, drawn)), (vec!["compressed"], vec!["electronic_copy"]));
    }
    assert!(told(32.0, ("legibility.readable", 0.95)).is_empty());
}

#[test]
fn a_deep_shadow_over_a_tenth_of_a_document_is_told_however_the_rest_is_read() {
    let page = [("locator.found", 1.0), ("legibility.print_share", 0.6), ("locator.edge_support", 0.9)];
    let told = |share: f64| shipped(Some(0.95), &[&page[..], &[("shadow.share", share)]].concat());
    assert_eq!((told(0.15), told(0.05)), (vec!["shadow"], Vec::new()));
}

#[test]
fn what_is_mostly_read_is_not_illegible_for_a_score_in_doubt() {
    let told = |legibility: f64, readable: f64| {
        let page = [("locator.found", 1.0), ("legibility.print_share", 0.6), ("legibility.blur_ratio", 0.15)];
        shipped(Some(legibility), &[&page[..], &[("legibility.readable", readable)]].concat())
    };
    assert_eq!((told(0.45, 0.6), told(0.2, 0.85)), (vec!["illegible"], vec!["illegible"]));
    assert!(told(0.45, 0.85).is_empty());
}

#[test]
fn a_small_page_is_told_where_its_print_is_small_and_read_with_doubt() {
    let told = |px: f64, worst: f64, legibility: f64| {
        let page = [("locator.found", 1.0), ("document_net.page", 0.9), ("resolution.document_width_px", 600.0)];
        let print = [("legibility.print_px", px), ("legibility.zone_readable", worst), ("legibility.print_share", 0.5)];
        shipped(Some(legibility), &[page, print].concat())
    };
    assert_eq!(told(8.0, 0.7, 0.75), ["too_small"]);
    assert!(told(8.0, 0.9, 0.75).is_empty() && told(14.0, 0.7, 0.75).is_empty() && told(8.0, 0.7, 0.95).is_empty());
    // Where it cannot be read at all, higher print was measured: it is something else.
    assert_eq!((told(8.0, 0.1, 0.3), told(20.0, 0.1, 0.3)), (vec!["too_small"], vec![]));
}

#[test]
fn a_highlight_is_told_where_the_network_sees_one_and_too_much_light_where_a_third_of_the_print_is_gone() {
    let told = |washed: f64, seen: f64| {
        let page = [("locator.found", 1.0), ("legibility.print_share", 0.4), ("glare.print_share", washed)];
        shipped(Some(0.9), &[&page[..], &[("cover.glare_share", seen)]].concat())
    };
    assert_eq!((told(0.1, 0.03), told(0.2, 0.0)), (vec!["glare"], vec![]));
    assert_eq!(told(0.4, 0.0), ["overexposed"]);
}

#[test]
fn what_is_black_is_dark_and_not_without_colour() {
    let told = |bright: f64| {
        let page = [("locator.found", 1.0), ("legibility.print_share", 0.4), ("colour.picture_residual", 0.1)];
        shipped(Some(0.9), &[&page[..], &[("exposure.bright_luma", bright)]].concat())
    };
    assert_eq!((told(12.0), told(120.0)), (vec!["dark"], vec!["grey_picture"]));
}

#[test]
fn print_that_runs_out_at_one_side_is_cut_off() {
    let told = |side: f64, noise: f64, face: &'static str| {
        let cut = [("framing.print_cut_share", 0.1), ("framing.side_print_cut_share", side), (face, 0.8)];
        let page = [("locator.found", 1.0), ("legibility.print_share", 0.4), ("legibility.noise_ratio", noise)];
        shipped(Some(0.9), &[cut, page].concat())
    };
    let page = "document_net.page";
    assert_eq!((told(0.5, 0.02, page), told(0.2, 0.02, page)), (vec!["cut_off"], vec![]));
    // Noise looks like print at the edge, and a card is cut by its corners.
    assert!(told(0.5, 0.2, page).is_empty() && told(0.5, 0.02, "document_net.portrait_side").is_empty());
}

#[test]
fn a_rule_is_not_judged_where_all_of_a_group_that_it_names_holds() {
    let with = |unless: &str| format!("{RULES}unless = {unless}\n");
    let group = "[[{ quantity = \"score.print\", above = 0.5 }, { quantity = \"score.legibility\", above = 0.5 }]]";
    let told = |text: &str, print: f64, legibility: Option<f64>| {
        let scores = Scores { screen: Some(0.0), print: Some(print), legibility };
        policy(text)
            .expect("good")
            .judge(&scores, &Readings::from([("framing.tilt_deg", 40.0)]), |_| None)
            .reasons
            .len()
    };
    let text = with(group);
    assert_eq!((told(&text, 0.9, Some(0.9)), told(&text, 0.9, Some(0.1)), told(&text, 0.9, None)), (0, 1, 1));
    let either = with("[[{ quantity = \"score.print\", above = 0.5 }], [{ quantity = \"score.print\", below = 0.1 }]]");
    assert_eq!((told(&either, 0.9, None), told(&either, 0.0, None), told(&either, 0.3, None)), (0, 0, 1));
    assert!(policy(&with("[[]]")).expect_err("empty").to_string().contains("empty"));
    assert!(
        policy(&group.replace("score.print", "score.prnit").replace("[[", &format!("{RULES}unless = [["))).is_err()
    );
}

#[test]
fn noise_is_darkness_over_print_alone() {
    let told = |found: f64, share: f64| {
        shipped(
            Some(0.1),
            &[
                ("locator.found", found),
                ("legibility.print_share", share),
                ("legibility.readable", 0.3),
                ("legibility.noise_ratio", 0.2),
                ("legibility.paper_luma", 100.0),
            ],
        )
    };
    assert_eq!((told(1.0, 0.3), told(0.0, 0.3)), (vec!["dark"], vec!["dark"]));
    assert!(!told(0.0, 0.17).contains(&"dark") && !told(1.0, 0.03).contains(&"dark"));
}

#[test]
fn a_card_that_is_too_small_for_its_number_is_named_so_and_a_dark_patch_a_shadow() {
    let card = [
        ("document_net.portrait_side", 0.9),
        ("document_net.confidence", 0.9),
        ("locator.found", 1.0),
        ("locator.edge_support", 0.9),
        ("legibility.print_share", 0.5),
    ];
    let with = |more: &[(&'static str, f64)]| shipped(Some(0.9), &[&card[..], more].concat());
    assert_eq!(with(&[("resolution.dpi", 40.0), ("number.consistent", 0.0)]), ["too_small"]);
    assert!(with(&[("resolution.dpi", 40.0), ("number.consistent", 1.0)]).is_empty());
    assert!(with(&[("resolution.dpi", 160.0), ("number.consistent", 0.0)]).is_empty());
    let dim = [("legibility.paper_luma", 60.0), ("legibility.noise_ratio", 0.1)];
    assert_eq!(with(&[&dim[..], &[("number.consistent", 0.0)]].concat()), ["dark"]);
    assert!(with(&[&dim[..], &[("number.consistent", 1.0)]].concat()).is_empty());
    let shaken = [("legibility.motion_ratio", 2.0), ("sharpness.motion_ratio", 2.0), ("legibility.blur_ratio", 0.12)];
    assert_eq!(with(&[&shaken[..], &[("number.consistent", 0.0)]].concat()), ["moved"]);
    assert!(with(&[&shaken[..], &[("number.consistent", 1.0)]].concat()).is_empty());
    assert!(with(&[shaken[0], shaken[2], ("sharpness.motion_ratio", 1.1), ("number.consistent", 0.0)]).is_empty());
    assert_eq!(with(&[("cover.share", 0.1), ("cover.light_ratio", 0.1)]), ["shadow"]);
    assert!(with(&[("cover.share", 0.1), ("cover.light_ratio", 0.5)]).is_empty());
}

#[test]
fn a_reason_names_what_it_was_judged_on_and_what_shows_it() {
    let mark = Pointer::Mark { finding: 2, mark: 1 };
    let place = Place { polygon: Vec::new(), zone: None, shown_by: vec![mark, Pointer::Document] };
    let readings = Readings::from([("framing.tilt_deg", 40.0)]);
    let scores = Scores { screen: Some(0.9), ..Scores::default() };
    let shown = |code: &Code| (code.code() == "tilted").then(|| place.clone());
    let reasons = policy(RULES).expect("good").judge(&scores, &readings, shown).reasons;
    let told: Vec<_> = reasons.iter().map(|reason| (reason.code, reason.reading.as_str())).collect();
    assert_eq!(told, [("screen_recapture", "score.screen"), ("tilted", "framing.tilt_deg")]);
    assert!(reasons[0].shown_by.is_empty());
    let written = serde_json::to_value(&reasons[1]).expect("written");
    assert_eq!(written["shown_by"], serde_json::json!(["/findings/2/marks/1", "/document"]));
}

#[test]
fn what_is_asked_for_is_wanted_from_the_share_that_the_policy_says() {
    let known = BTreeSet::from(["framing.tilt_deg", "document_net.page"]);
    let told = |policy: &str, page: f64| {
        let policy = Policy::parse(policy, &known).expect("good").expecting(Face::Page);
        let scores = Scores { screen: Some(0.0), ..Scores::default() };
        policy.judge(&scores, &Readings::from([("document_net.page", page)]), |_| None).decision
    };
    // A policy that says nothing of it has the shipped share.
    assert_eq!((told(RULES, 0.49), told(RULES, 0.5)), (Decision::Retake, Decision::Accept));
    let stricter = format!("{RULES}[expecting]\nseverity = \"high\"\nretake = 0.9\n");
    assert_eq!((told(&stricter, 0.89), told(&stricter, 0.9)), (Decision::Retake, Decision::Accept));
    let nonsense = format!("{RULES}[expecting]\nseverity = \"high\"\nretake = nan\n");
    assert!(Policy::parse(&nonsense, &known).expect_err("no number").to_string().contains("unexpected_document"));
}

#[test]
fn a_document_out_of_date_is_refused_and_one_that_soon_will_be_where_that_is_asked_for() {
    let known = crate::checker::known_readings();
    let shipped = || Policy::shipped(&known).expect("the shipped policy is good");
    let told = |policy: &Policy, readings: Readings| {
        let scores = Scores { screen: Some(0.0), print: Some(0.0), legibility: Some(0.9) };
        let verdict = policy.judge(&scores, &readings, |_| None);
        (verdict.decision, verdict.reasons.iter().map(|reason| reason.code).collect::<Vec<_>>())
    };
    for reading in ["validity.days_left", "number.days_left"] {
        let asked = shipped().valid_for(30).expect("a rule");
        assert!(asked.id().ends_with("+valid_for=30d"));
        let refused = |code| (Decision::Reject, vec![code]);
        let cases = [
            (-1.0, refused("expired"), refused("expired")),
            (0.0, (Decision::Accept, vec![]), refused("expires_soon")),
            (29.0, (Decision::Accept, vec![]), refused("expires_soon")),
            (30.0, (Decision::Accept, vec![]), (Decision::Accept, vec![])),
        ];
        for (days, plainly, when_asked) in cases {
            let left = || Readings::from([(reading, days)]);
            assert_eq!((told(&shipped(), left()), told(&asked, left())), (plainly, when_asked), "{reading} {days}");
        }
    }
    assert!(policy(RULES).expect("good").valid_for(30).is_err());
}

#[test]
fn a_document_is_called_by_its_kind_where_it_is_likelier_to_be_that_than_not() {
    let policy = Policy::shipped(&crate::checker::known_readings()).expect("the shipped policy is good");
    let said = |share: f64| {
        let cut = [("framing.corners_cut_count", 2.0), ("framing.print_cut_share", 0.5)];
        let readings = cut.into_iter().chain([("document_net.card", share)]).collect();
        let scores = Scores { screen: Some(0.0), print: Some(0.0), legibility: Some(0.9) };
        policy.judge(&scores, &readings, |_| None).reasons[0].en.clone()
    };
    assert!(said(0.7).contains("the card") && said(0.3).contains("the document"), "{} {}", said(0.7), said(0.3));
}

#[test]
fn every_preset_is_the_shipped_policy_with_rules_of_its_own() {
    use strum::VariantArray as _;
    let known = crate::checker::known_readings();
    let shipped = Policy::shipped(&known).expect("the shipped policy is good");
    for preset in Preset::VARIANTS.iter().copied() {
        let policy = Policy::preset(preset, &known).unwrap_or_else(|e| panic!("{}: {e}", preset.name()));
        assert!(policy.id().starts_with(preset.name()) && preset.name().parse() == Ok(preset));
        let names = |policy: &Policy| policy.rules().into_iter().map(|rule| rule.name).collect::<BTreeSet<_>>();
        assert!(names(&policy).is_superset(&names(&shipped)), "{}", preset.name());
        assert!(policy.rules().iter().any(|rule| rule.name == "format_refused" && rule.enabled));
        // What nobody published is not asked for, and every rule says where it was.
        assert!(preset.text().matches("read in 2026").count() + preset.text().matches("July 2026").count() > 0);
    }
}

#[test]
fn what_not_every_gate_asks_for_is_off_until_it_is_named() {
    let known = crate::checker::known_readings();
    let shipped = Policy::shipped(&known).expect("the shipped policy is good");
    let on = |policy: &Policy, name: &str| policy.rules().iter().any(|rule| rule.name == name && rule.enabled);
    for name in ["seal_missing", "seal_unclear", "not_upright", "scanned"] {
        assert!(!on(&shipped, name), "{name}");
        let asked = shipped.clone().with(name, Sensitivity::Normal).expect("a rule");
        assert!(on(&asked, name), "{name}");
    }
}
