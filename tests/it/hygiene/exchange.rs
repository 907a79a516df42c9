//! Mail of machines at Exchange, whose server keeps a copy of all that leaves and knows no sender without an address.

use std::sync::Arc;

use crate::world::exchange::Tenant;
use crate::world::exchange::smtp::Sent;
use crate::world::{Host, Setup, World};

const SUBJECT: &str = "Broken kettle";

fn sent(world: &World) -> Vec<Sent> {
    let Host::Exchange(tenant) = &world.host else { panic!("not at Exchange") };
    Arc::<Tenant>::clone(tenant).sent()
}

#[test]
fn an_acknowledgement_leaves_with_the_shared_address_and_its_copy_is_no_answer() {
    Setup::exchange().with("acknowledgement = { enabled = true }").tell(|world| {
        world.customer_writes(SUBJECT);
        world.eventually("the customer is told", |world| sent(world).len() == 1);
        assert_eq!(sent(world)[0].from, "support@example.test");
        // The copy that Exchange keeps is known for what it is.
        world.holds(SUBJECT, 2);
        let thread = world.thread(SUBJECT);
        assert_eq!(thread.state, "new");
        assert!(thread.events_like("replied").is_empty());
        assert_eq!(thread.events_like("machine-wrote").len(), 1);
    });
}
