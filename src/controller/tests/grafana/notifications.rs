//! Its contact points.

use super::Double;
use crate::grafana::api::{Answer, Notifications, Provenance};
use crate::grafana::wire::ContactPoint;

impl Notifications for Double {
    fn contact_points(&self) -> Answer<'_, Vec<ContactPoint>> {
        self.call("contact_points.list", |held| Ok(held.shown()))
    }
    fn contact_points_named<'a>(&'a self, name: &'a str) -> Answer<'a, Vec<ContactPoint>> {
        let name = name.to_owned();
        self.call("contact_points.named", move |held| {
            let points = held.shown().into_iter();
            Ok(points.filter(|p| p.name == name).collect())
        })
    }
    fn create_contact_point<'a>(&'a self, point: &'a ContactPoint, _: Provenance) -> Answer<'a, ()> {
        let point = point.clone();
        self.call("contact_points.create", move |held| {
            held.points.push(point);
            Ok(())
        })
    }
    fn update_contact_point<'a>(&'a self, point: &'a ContactPoint, _: Provenance) -> Answer<'a, ()> {
        let point = point.clone();
        self.call("contact_points.update", move |held| {
            held.points.retain(|p| p.uid != point.uid);
            held.points.push(point);
            Ok(())
        })
    }
    fn delete_contact_point<'a>(&'a self, uid: &'a str) -> Answer<'a, ()> {
        let uid = uid.to_owned();
        self.call("contact_points.delete", move |held| {
            held.points.retain(|p| p.uid != uid);
            Ok(())
        })
    }
}
