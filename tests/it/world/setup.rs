//! What kind of world a story needs, and telling it there.

use super::{Mode, Provider, Server, World};

/// How Baton shows marks in this world.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    Keywords,
    Folders,
    Labels,
}

/// What kind of world a story needs.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(super) layout: Layout,
    pub(super) provider: Provider,
    pub(super) server: Server,
    pub(super) mailboxes: Vec<&'static str>,
    pub(super) settings: Vec<String>,
    pub(super) mode: Mode,
    pub(super) postfix: bool,
}

impl Setup {
    pub(crate) fn new(layout: Layout) -> Setup {
        Setup {
            layout,
            provider: if layout == Layout::Labels { Provider::Gmail } else { Provider::Dovecot },
            server: Server::default(),
            mailboxes: vec!["support"],
            settings: Vec::new(),
            mode: Mode::Run,
            postfix: false,
        }
    }

    pub(crate) fn keywords() -> Setup {
        Setup::new(Layout::Keywords)
    }

    pub(crate) fn folders() -> Setup {
        Setup::new(Layout::Folders)
    }

    pub(crate) fn labels() -> Setup {
        Setup::new(Layout::Labels)
    }

    /// Folders at Exchange Online.
    pub(crate) fn exchange() -> Setup {
        Setup::folders().at(Provider::Exchange)
    }

    /// At this provider, whatever the layout.
    pub(crate) fn at(mut self, provider: Provider) -> Setup {
        self.provider = provider;
        self
    }

    /// On a server like this.
    pub(crate) fn on(mut self, server: Server) -> Setup {
        self.server = server;
        self
    }

    /// With another mailbox, beside `support`.
    pub(crate) fn and_mailbox(mut self, name: &'static str) -> Setup {
        self.mailboxes.push(name);
        self
    }

    /// For another shared address than `support`.
    pub(crate) fn of(mut self, name: &'static str) -> Setup {
        self.mailboxes = vec![name];
        self
    }

    /// With a further line in every `[[mailbox]]`.
    pub(crate) fn with(mut self, line: &str) -> Setup {
        self.settings.push(line.to_owned());
        self
    }

    /// With a real Postfix as the server that sends, beside a Dovecot; only root can start one.
    pub(crate) fn through_postfix(mut self) -> Setup {
        self.postfix = true;
        self
    }

    /// With the daemon as `run --shadow`.
    pub(crate) fn shadow(mut self) -> Setup {
        self.mode = Mode::Shadow;
        self
    }

    /// Tells a story: the world is made, Baton started, the story lived through, and what must hold is checked.
    pub(crate) fn tell(self, story: impl FnOnce(&mut World)) {
        self.tell_before_baton(|world| {
            world.start();
            story(world);
        });
    }

    /// Tells a story that begins before Baton does.
    pub(crate) fn tell_before_baton(self, story: impl FnOnce(&mut World)) {
        let mut world = World::new(self);
        story(&mut world);
        world.finish();
    }
}

/// Tells each story in both layouts of Dovecot, as `keywords::the_story` and `folders::the_story`.
macro_rules! in_both_layouts {
    ($($story:ident),* $(,)?) => {
        mod keywords {
            $(#[test] fn $story() { $crate::world::Setup::keywords().tell(super::$story); })*
        }
        mod folders {
            $(#[test] fn $story() { $crate::world::Setup::folders().tell(super::$story); })*
        }
    };
}
pub(crate) use in_both_layouts;

/// Tells each story in the layouts of Dovecot, in Gmail's as `labels::the_story`, and at Exchange as `exchange::the_story`.
macro_rules! in_all_layouts {
    ($($story:ident),* $(,)?) => {
        $crate::world::in_both_layouts!($($story),*);
        mod labels {
            $(#[test] fn $story() { $crate::world::Setup::labels().tell(super::$story); })*
        }
        mod exchange {
            $(#[test] fn $story() { $crate::world::Setup::exchange().tell(super::$story); })*
        }
    };
}
pub(crate) use in_all_layouts;

/// Tells each story wherever folders are the marks: `in_folders::at_dovecot::the_story` and `in_folders::at_exchange::…`. A
/// line for the configuration may stand first.
macro_rules! in_folder_layouts {
    ($($story:ident $(with $line:literal)?),* $(,)?) => {
        mod in_folders {
            mod at_dovecot {
                $(#[test] fn $story() {
                    $crate::world::Setup::folders()$(.with($line))?.tell(super::super::$story);
                })*
            }
            mod at_exchange {
                $(#[test] fn $story() {
                    $crate::world::Setup::exchange()$(.with($line))?.tell(super::super::$story);
                })*
            }
        }
    };
}
pub(crate) use in_folder_layouts;
