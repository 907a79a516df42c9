//! A busy desk: many conversations at once, each with the same kind of life, told in a random order.
//!
//! Every act is done once, and only when the one before it was decided, so that what must have happened at the end is
//! known exactly: so many events of each kind, and the state.

use std::collections::BTreeMap;

use super::Seed;
use crate::world::{Layout, World};

/// How many conversations go on at once.
const OPEN_MAX: usize = 6;

/// How somebody says what they want.
#[derive(Clone, Copy, Debug)]
enum By {
    Gesture,
    Command,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Claims(&'static str, By),
    CustomerAnswers,
    Replies(&'static str),
    Assigns(&'static str, &'static str),
    Resolves(&'static str, By),
}

/// One conversation and what is still to happen in it.
struct Story {
    subject: String,
    id: Option<i64>,
    acts: Vec<Act>,
    done: usize,
    expected: BTreeMap<&'static str, usize>,
    state: &'static str,
    owner: Option<&'static str>,
}

/// The conversations of one world.
pub(crate) struct Replay {
    stories: Vec<Story>,
    /// Acts done so far.
    pub(crate) acts: usize,
}

impl Story {
    fn new(number: usize, seed: &mut Seed) -> Story {
        let agents = ["ana", "ben", "cleo"];
        let (first, second) = (*seed.one_of(&agents), *seed.one_of(&agents));
        let mut by = || if seed.percent(50) { By::Gesture } else { By::Command };
        let mut acts = vec![
            Act::Claims(first, by()),
            Act::Assigns(first, second),
            Act::CustomerAnswers,
            Act::Replies(second),
            Act::CustomerAnswers,
            Act::Resolves(second, by()),
        ];
        if first == second {
            acts.remove(1);
        }
        let acts = acts.into_iter().filter(|act| !skipped(act, seed)).collect();
        Story {
            subject: format!("Order {number}"),
            id: None,
            acts,
            done: 0,
            expected: BTreeMap::from([("opened", 1)]),
            state: "new",
            owner: None,
        }
    }

    /// What the next act leads to.
    fn expects(&mut self, act: Act) {
        let kind = match act {
            Act::Claims(agent, _) => {
                (self.state, self.owner) = ("assigned", Some(agent));
                "claimed"
            }
            Act::Assigns(_, agent) => {
                self.owner = Some(agent);
                "assigned"
            }
            Act::CustomerAnswers => {
                if self.state == "waiting" {
                    self.state = "in-progress";
                }
                "customer-wrote"
            }
            Act::Replies(_) => {
                self.state = "waiting";
                "replied"
            }
            Act::Resolves(..) => {
                self.state = "resolved";
                "resolved"
            }
        };
        *self.expected.entry(kind).or_default() += 1;
    }

    /// Whether Baton has decided everything that was done.
    fn is_decided(&mut self, world: &mut World) -> bool {
        if self.id.is_none() {
            let threads = world.threads_about(&self.subject);
            self.id = threads.first().map(|thread| thread.id);
        }
        self.id.is_some() && self.difference(world).is_none()
    }

    /// How the thread differs from what must have happened.
    fn difference(&self, world: &World) -> Option<String> {
        let Some(thread) = self.id.and_then(|id| world.baton.show(id)) else {
            return Some(format!("{}: no thread", self.subject));
        };
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for event in &thread.events {
            *counts.entry(event.kind.as_str()).or_default() += 1;
        }
        let same = counts == self.expected
            && thread.state == self.state
            && thread.owner.as_deref() == self.owner;
        (!same).then(|| {
            format!(
                "{} (#{}) is {}, {:?} with {counts:?}; expected {}, {:?} with {:?}",
                self.subject,
                thread.id,
                thread.state,
                thread.owner,
                self.state,
                self.owner,
                self.expected
            )
        })
    }
}

/// A customer may have nothing to add.
fn skipped(act: &Act, seed: &mut Seed) -> bool {
    matches!(act, Act::CustomerAnswers | Act::Assigns(..)) && seed.percent(30)
}

impl Replay {
    pub(crate) fn new() -> Replay {
        Replay { stories: Vec::new(), acts: 0 }
    }

    /// Somebody does something, somewhere. `command` types a command until it is done, whatever happens meanwhile.
    pub(crate) fn goes_on(
        &mut self,
        world: &mut World,
        seed: &mut Seed,
        command: &mut impl FnMut(&mut World, &mut Seed, &[&str]),
    ) {
        self.acts += 1;
        let unfinished = |story: &&mut Story| story.done < story.acts.len();
        let mut open: Vec<&mut Story> = self.stories.iter_mut().filter(unfinished).collect();
        if open.len() < OPEN_MAX && seed.percent(40) {
            let story = Story::new(self.stories.len(), seed);
            world.customer_writes(&story.subject);
            self.stories.push(story);
            return;
        }
        if open.is_empty() {
            return;
        }
        let chosen = seed.below(open.len());
        let story = &mut *open[chosen];
        if !story.is_decided(world) {
            return;
        }
        let act = story.acts[story.done];
        // Who acts with the mouse acts on what the mailbox shows.
        let by_hand = matches!(act, Act::Claims(_, By::Gesture) | Act::Resolves(_, By::Gesture));
        if by_hand && !world.shows(&story.subject) {
            return;
        }
        story.done += 1;
        story.expects(act);
        let (subject, id) = (story.subject.clone(), story.id.unwrap_or_default().to_string());
        match act {
            Act::Claims(agent, By::Gesture) => world.agent(agent).claims(&subject),
            Act::Claims(agent, By::Command) => {
                command(world, seed, &["claim", &id, "--as", agent]);
            }
            Act::Assigns(by, to) => command(world, seed, &["assign", &id, to, "--as", by]),
            Act::CustomerAnswers => {
                world.customer_answers(&subject, "It is the blue one, and it still leaks. Why?");
            }
            Act::Replies(agent) => {
                world.agent(agent).replies(&subject);
            }
            Act::Resolves(agent, By::Gesture) => world.agent(agent).resolves(&subject),
            Act::Resolves(agent, By::Command) => {
                command(world, seed, &["resolve", &id, "--as", agent]);
            }
        }
    }

    /// Nothing is lost and nothing doubled: every conversation is as it must be, and the mailbox shows it.
    #[track_caller]
    pub(crate) fn agrees(&mut self, world: &mut World) {
        world.settle();
        for story in &mut self.stories {
            let mut last = None;
            let decided = crate::world::poll(crate::world::PATIENCE, || {
                story.is_decided(world).then_some(()).or_else(|| {
                    last = story.difference(world);
                    None
                })
            });
            assert!(decided.is_some(), "{}\n{}", last.unwrap_or_default(), world.picture());
            world.eventually(&format!("the mailbox shows {}", story.subject), |world| {
                world.shows(&story.subject)
            });
        }
        assert_eq!(world.baton.threads().len(), self.stories.len(), "{}", world.picture());
        self.no_mail_is_doubled(world);
    }

    /// Every mail is in the mailbox once.
    #[track_caller]
    fn no_mail_is_doubled(&self, world: &mut World) {
        let layout: Layout = world.layout();
        for (id, places) in world.eyes().look().expect("cannot look") {
            assert_eq!(places.len(), 1, "<{id}> in {layout:?}: {places:?}\n{}", world.picture());
        }
    }
}
