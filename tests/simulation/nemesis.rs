//! Who breaks things: crashes, stops and cuts off servers, sets clocks wrong, takes keys away and hands them on, deletes what is derived.
//!
//! Each run draws which of it ever happens, so that some are broken in few ways, thoroughly.

use crate::jobs::submission;
use crate::node::{Node, Running};
use crate::random::Dice;
use crate::weather::Weather;
use crate::world::World;
use probity_governance::command::Operation;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Ways to break things.
#[derive(Clone, Copy, Debug)]
enum Trick {
    Crash,
    Stop,
    CutOff,
    Change,
    WrongTime,
    StopBoot,
    HideKeys,
    Rotate,
    Seal,
    DropDerived,
}

const TRICKS: [Trick; 10] = [
    Trick::Crash,
    Trick::Stop,
    Trick::CutOff,
    Trick::Change,
    Trick::WrongTime,
    Trick::StopBoot,
    Trick::HideKeys,
    Trick::Rotate,
    Trick::Seal,
    Trick::DropDerived,
];

/// Breaks things until it is ended.
pub(crate) async fn rage(world: Arc<World>, dice: Dice) {
    let mine: Vec<Trick> = TRICKS.into_iter().filter(|_| dice.chance(500)).collect();
    world.trace.note(format_args!("tricks: {mine:?}"));
    if mine.is_empty() {
        return;
    }
    loop {
        sleep(dice.millis(200..6_000)).await;
        let (trick, node) = (*dice.pick(&mine), dice.pick(&world.nodes));
        world.trace.note(format_args!("{trick:?} {}", node.name));
        world.count(|counts| counts.tricks += 1);
        play(&world, &dice, trick, node).await;
    }
}

async fn play(world: &World, dice: &Dice, trick: Trick, node: &Node) {
    match trick {
        Trick::Crash => {
            node.crash();
            sleep(dice.millis(0..14_000)).await;
            world.start(node).await;
        }
        Trick::Stop => {
            node.stop().await;
            sleep(dice.millis(0..3_000)).await;
            world.start(node).await;
        }
        Trick::CutOff => {
            let before = std::mem::replace(&mut *node.weather.lock().unwrap(), Weather::CUT_OFF);
            sleep(dice.millis(500..16_000)).await;
            *node.weather.lock().unwrap() = before;
        }
        Trick::Change => *node.weather.lock().unwrap() = Weather::draw(dice),
        Trick::WrongTime => {
            let off = *dice.pick(&[-3_600, -30, -9, -1, 1, 9, 25, 100]);
            node.clock.set_wrong_by(off * 1_000_000);
            sleep(dice.millis(500..8_000)).await;
            node.clock.set_wrong_by(0);
        }
        Trick::StopBoot => {
            world.skew();
            node.clock.stop_boot();
            sleep(dice.millis(1_000..20_000)).await;
            node.clock.resume_boot();
        }
        Trick::HideKeys => {
            node.hide_keys();
            sleep(dice.millis(500..8_000)).await;
            node.show_keys();
        }
        Trick::Rotate => rotate(world, dice, node).await,
        Trick::Seal => {
            if let Some(Running { ledger, .. }) = node.running() {
                let tenant = &dice.pick(&world.logs).tenant;
                let _ = timeout(Duration::from_secs(10), ledger.seal(tenant)).await;
            }
        }
        Trick::DropDerived => world.drop_derived(),
    }
}

/// Another key signs from now on; the other node gets it sooner or later.
async fn rotate(world: &World, dice: &Dice, node: &Node) {
    let Some(Running { ledger, .. }) = node.running() else {
        return;
    };
    let log = dice.pick(&world.logs);
    let made = timeout(Duration::from_secs(10), ledger.next_signer(&log.tenant));
    let Ok(Ok(signer)) = made.await else { return };
    log.model(|model| model.keys.push(signer.parse().unwrap()));
    let is_prompt = dice.chance(500);
    if is_prompt {
        world.share_keys();
    }
    let operation = Operation::RotateSigner {
        signer,
        reason: None,
    };
    let submitted = ledger.submit(&log.tenant, submission("system", operation));
    let answer = timeout(Duration::from_secs(10), submitted).await;
    let is_done = matches!(answer, Ok(Ok(_)));
    world.trace.note(format_args!("rotated: {is_done}"));
    sleep(dice.millis(0..10_000)).await;
    world.share_keys();
}
