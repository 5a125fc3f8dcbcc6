//! `active.json`: the champion, and the champions before it.

use serde::{Deserialize, Serialize};

/// Champions kept to go back to.
const KEPT: usize = 16;

/// Content of `active.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Active {
    /// The model that serves; none before the first promotion.
    pub champion: Option<String>,
    /// Former champions, the most recent first, at most 16.
    #[serde(default)]
    pub previous: Vec<String>,
}

impl Active {
    /// With `id` as the champion, and the one it replaces first among the previous.
    #[must_use]
    pub fn promoted(self, id: &str) -> Self {
        if self.champion.as_deref() == Some(id) {
            return self;
        }
        let older = self.previous.into_iter().filter(|p| p != id);
        let previous = self.champion.into_iter().chain(older).take(KEPT).collect();
        Self { champion: Some(id.to_owned()), previous }
    }

    /// With the most recent previous champion back in its place; `None` when there is none.
    pub fn rolled_back(mut self) -> Option<Self> {
        if self.previous.is_empty() {
            return None;
        }
        let champion = Some(self.previous.remove(0));
        Some(Self { champion, previous: self.previous })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rollback_undoes_promotion() {
        let first = Active::default().promoted("a");
        assert_eq!(first, Active { champion: Some("a".into()), previous: vec![] });
        assert_eq!(first.clone().promoted("b").rolled_back(), Some(first.clone()));
        assert_eq!(first.rolled_back(), None);
    }

    #[test]
    fn a_model_is_named_once_and_the_list_stays_short() {
        let back_again = Active::default().promoted("a").promoted("b").promoted("a");
        assert_eq!(back_again, Active { champion: Some("a".into()), previous: vec!["b".into()] });
        assert_eq!(back_again.clone().promoted("a"), back_again, "promoting the champion changes nothing");
        let many = (0..40).fold(Active::default(), |a, i| a.promoted(&format!("m{i}")));
        assert_eq!((many.previous.len(), many.previous[0].as_str()), (KEPT, "m38"));
    }
}
