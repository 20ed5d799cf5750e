use rten_tensor::prelude::*;
use rten_tensor::storage::Alloc;
use rten_tensor::{CowTensor, TensorView};

/// Conversion from one numeric type to another that preserves the value's
/// offset from the minimum value.
///
/// This trait is also implemented for some collection types, which can
/// avoid allocating a new collection if the source and target types are the
/// same.
///
/// Converting `0i8` to `u8` via a normal cast returns 0, but a shift cast
/// returns `128u8`, since `0i8 - i8::MIN = 128` and `128u8 - u8::MIN = 128`.
pub trait ShiftCast<T> {
    /// Return a value of type T that has the same difference from `T::MIN`
    /// as `self` has from `Self::MIN`.
    fn shift_cast(self) -> T;

    /// Variant of [`shift_cast`](ShiftCast::shift_cast) that takes an allocator.
    fn shift_cast_in(self, _alloc: impl Alloc) -> T
    where
        Self: Sized,
    {
        self.shift_cast()
    }
}

macro_rules! impl_noop_cast {
    ($type:ty) => {
        impl ShiftCast<$type> for $type {
            fn shift_cast(self) -> Self {
                self
            }
        }
    };
}

impl_noop_cast!(i8);
impl ShiftCast<u8> for i8 {
    fn shift_cast(self) -> u8 {
        (self as u8) ^ 0x80
    }
}

impl_noop_cast!(u8);
impl ShiftCast<i8> for u8 {
    fn shift_cast(self) -> i8 {
        (self ^ 0x80) as i8
    }
}

impl<'a, T> ShiftCast<CowTensor<'a, T>> for TensorView<'a, T> {
    fn shift_cast(self) -> CowTensor<'a, T> {
        self.as_cow()
    }
}

impl<'a> ShiftCast<CowTensor<'a, u8>> for TensorView<'a, i8> {
    fn shift_cast(self) -> CowTensor<'a, u8> {
        self.map(|&x| x.shift_cast()).into_cow()
    }

    fn shift_cast_in(self, alloc: impl Alloc) -> CowTensor<'a, u8> {
        self.map_in(alloc, |&x| x.shift_cast()).into_cow()
    }
}

impl<'a> ShiftCast<CowTensor<'a, i8>> for TensorView<'a, u8> {
    fn shift_cast(self) -> CowTensor<'a, i8> {
        self.map(|&x| x.shift_cast()).into_cow()
    }

    fn shift_cast_in(self, alloc: impl Alloc) -> CowTensor<'a, i8> {
        self.map_in(alloc, |&x| x.shift_cast()).into_cow()
    }
}

impl<T, U> ShiftCast<Vec<U>> for Vec<T>
where
    T: ShiftCast<U>,
{
    fn shift_cast(self) -> Vec<U> {
        self.into_iter().map(|x| x.shift_cast()).collect()
    }
}

