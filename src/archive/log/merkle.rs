//! Merkle trees as in RFC 6962 (and RFC 9162), section 2.1: hashes, roots and proofs. Pure functions.

use crate::digest::Digest;

/// The hash of a leaf: SHA-256(0x00, entry).
pub fn leaf_hash(entry: &[u8]) -> Digest {
    Digest::of_parts(&[&[0], entry])
}

/// The hash of an inner node: SHA-256(0x01, left, right).
pub fn node_hash(left: &Digest, right: &Digest) -> Digest {
    Digest::of_parts(&[&[1], left.as_bytes(), right.as_bytes()])
}

/// The root of the empty tree: SHA-256 of nothing.
pub fn empty_root() -> Digest {
    Digest::of(&[])
}

/// A tree that grows by one leaf hash at a time and remembers only the roots of its perfect subtrees, largest first.
#[derive(Debug, Clone, Default)]
pub struct Frontier {
    size: u64,
    subtrees: Vec<Digest>,
}

impl Frontier {
    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the hash of the next leaf.
    pub fn push(&mut self, leaf_hash: Digest) {
        let mut hash = leaf_hash;
        // Each low one bit of the old size is a subtree of the size just completed.
        for _ in 0..self.size.trailing_ones() {
            let left = self.subtrees.pop().expect("one subtree for each one bit");
            hash = node_hash(&left, &hash);
        }
        self.subtrees.push(hash);
        self.size += 1;
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.root_before(None)
    }

    /// The root of the tree that goes on, after these leaves, with a smaller tree whose root is `rest`. If the leaves here
    /// are themselves roots of perfect trees of one size, `rest` may have fewer leaves than one of these.
    pub fn root_before(&self, rest: Option<Digest>) -> Digest {
        let subtrees = self.subtrees.iter().rev().copied();
        rest.into_iter()
            .chain(subtrees)
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }
}

/// The root of the tree over these leaf hashes.
pub fn root(leaf_hashes: &[Digest]) -> Digest {
    let mut frontier = Frontier::default();
    for hash in leaf_hashes {
        frontier.push(*hash);
    }
    frontier.root()
}

/// The proof that leaf `index` is in the tree over `leaf_hashes`: PATH(index, leaves) of RFC 6962 section 2.1.1, lowest
/// node first. `None` if there is no such leaf.
pub fn prove_inclusion(leaf_hashes: &[Digest], index: usize) -> Option<Vec<Digest>> {
    if index >= leaf_hashes.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut index) = (leaf_hashes, index);
    while leaves.len() > 1 {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if index < left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            index -= left.len();
            leaves = right;
        }
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that the leaf with this hash stands at `index` of the tree of `size` leaves with this root
/// (RFC 9162, section 2.1.3.2).
pub fn verify_inclusion(
    leaf_hash: &Digest,
    index: u64,
    size: u64,
    root: &Digest,
    proof: &[Digest],
) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf_hash;
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A rightmost node without a right sibling moves up unchanged.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// The proof that the tree over `leaf_hashes` begins with the tree over its first `size` leaves: PROOF(size, leaves) of
/// RFC 6962 section 2.1.2. `None` if `size` is 0 or more than there are.
pub fn prove_consistency(leaf_hashes: &[Digest], size: usize) -> Option<Vec<Digest>> {
    if size == 0 || size > leaf_hashes.len() {
        return None;
    }
    let mut proof = Vec::new();
    let (mut leaves, mut size) = (leaf_hashes, size);
    // Whether the subtree at hand is one whose root the verifier knows: the whole old tree.
    let mut known = true;
    while size != leaves.len() {
        let (left, right) = leaves.split_at(split(leaves.len()));
        if size <= left.len() {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            size -= left.len();
            leaves = right;
            known = false;
        }
    }
    if !known {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Whether `proof` shows that the tree of `new_size` leaves with `new_root` begins with the one of `old_size` leaves with
/// `old_root` (RFC 9162, section 2.1.4.2). Every tree begins with the empty one; that needs an empty proof.
pub fn verify_consistency(
    old_size: u64,
    old_root: &Digest,
    new_size: u64,
    new_root: &Digest,
    proof: &[Digest],
) -> bool {
    if old_size == 0 {
        return *old_root == empty_root() && proof.is_empty();
    }
    if old_size == new_size {
        return old_root == new_root && proof.is_empty();
    }
    if old_size > new_size {
        return false;
    }
    // The root of an old tree that is a perfect subtree of the new one is not repeated in the proof.
    let (start, proof) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        match proof.split_first() {
            Some((first, rest)) => (first, rest),
            None => return false,
        }
    };
    let (mut node, mut last) = (old_size - 1, new_size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let (mut old, mut new) = (*start, *start);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            old = node_hash(sibling, &old);
            new = node_hash(sibling, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && old == *old_root && new == *new_root
}

/// The largest power of two below `size`, for sizes of two and more: where RFC 6962 splits a tree.
fn split(size: usize) -> usize {
    1 << (size - 1).ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn leaves(count: usize) -> Vec<Digest> {
        (0..count)
            .map(|n| leaf_hash(&n.to_be_bytes()))
            .collect::<Vec<_>>()
    }

    /// MTH of RFC 6962 section 2.1, word for word.
    fn naive_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest::of(b""),
            [one] => *one,
            _ => {
                let mut k = 1;
                while k * 2 < leaves.len() {
                    k *= 2;
                }
                node_hash(&naive_root(&leaves[..k]), &naive_root(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_roots_are_those_of_the_reference_implementation() {
        // certificate-transparency-go and Go's tlog: the tree over "", 00, 10, 2021, 3031, 40414243, 5051525354555657,
        // 606162636465666768696a6b6c6d6e6f.
        let entries: [&[u8]; 8] = [
            b"",
            b"\x00",
            b"\x10",
            b"\x20\x21",
            b"\x30\x31",
            b"\x40\x41\x42\x43",
            b"\x50\x51\x52\x53\x54\x55\x56\x57",
            b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
        ];
        let hashes: Vec<Digest> = entries.iter().map(|e| leaf_hash(e)).collect();
        let hex = |n: usize| root(&hashes[..n]).to_hex();
        assert_eq!(
            hex(0),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            hex(1),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        assert_eq!(
            hex(7),
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"
        );
        assert_eq!(
            hex(8),
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
        );
    }

    #[test]
    fn every_proof_of_every_small_tree_verifies_and_no_other_does() {
        let wrong = empty_root();
        let all = leaves(33);
        for size in 1..=all.len() {
            let tree = &all[..size];
            let tree_root = naive_root(tree);
            assert_eq!(root(tree), tree_root);
            for (index, leaf) in tree.iter().enumerate() {
                let proof = prove_inclusion(tree, index).expect("in the tree");
                let verify = |leaf, index: usize, size: usize, root, proof: &[Digest]| {
                    verify_inclusion(leaf, index as u64, size as u64, root, proof)
                };
                assert!(verify(leaf, index, size, &tree_root, &proof));
                assert!(!verify(leaf, size, size, &tree_root, &proof));
                assert!(!verify(&wrong, index, size, &tree_root, &proof));
                let longer = [&proof[..], &[wrong]].concat();
                assert!(!verify(leaf, index, size, &tree_root, &longer));
                if !proof.is_empty() {
                    let shorter = &proof[1..];
                    assert!(!verify(leaf, index, size, &tree_root, shorter));
                }
            }
            for old in 1..=size {
                let old_root = naive_root(&all[..old]);
                let proof = prove_consistency(tree, old).expect("not longer");
                let verify = |old_root, proof: &[Digest]| {
                    verify_consistency(old as u64, old_root, size as u64, &tree_root, proof)
                };
                assert!(verify(&old_root, &proof), "{old} to {size}");
                assert!(!verify(&wrong, &proof), "{old} to {size}");
                let longer = [&proof[..], &[wrong]].concat();
                assert!(!verify(&old_root, &longer), "{old} to {size}");
            }
        }
        assert!(prove_inclusion(&all, 33).is_none());
        assert!(prove_consistency(&all, 0).is_none());
        assert!(prove_consistency(&all, 34).is_none());
        assert!(verify_consistency(0, &empty_root(), 33, &root(&all), &[]));
    }

    proptest! {
        #[test]
        fn proofs_of_larger_trees_verify(size in 1usize..1200, pick in 0.0f64..1.0, flip in 0usize..256) {
            let tree = leaves(size);
            let tree_root = root(&tree);
            prop_assert_eq!(tree_root, naive_root(&tree));
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
            let index = (pick * size as f64) as usize;
            let mut proof = prove_inclusion(&tree, index).expect("in the tree");
            prop_assert!(verify_inclusion(&tree[index], index as u64, size as u64, &tree_root, &proof));
            if let Some(node) = proof.first_mut() {
                let mut bytes = *node.as_bytes();
                bytes[flip / 8] ^= 1 << (flip % 8);
                *node = Digest::from_bytes(bytes);
                prop_assert!(!verify_inclusion(&tree[index], index as u64, size as u64, &tree_root, &proof));
            }
            let old = index + 1;
            let mut proof = prove_consistency(&tree, old).expect("not longer");
            let old_root = root(&tree[..old]);
            prop_assert!(verify_consistency(old as u64, &old_root, size as u64, &tree_root, &proof));
            if let Some(node) = proof.last_mut() {
                let mut bytes = *node.as_bytes();
                bytes[flip / 8] ^= 1 << (flip % 8);
                *node = Digest::from_bytes(bytes);
                prop_assert!(!verify_consistency(old as u64, &old_root, size as u64, &tree_root, &proof));
            }
        }
    }
}
